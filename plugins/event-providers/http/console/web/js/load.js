// What a page shows is loaded, and loaded again every so often while the page can be seen.
import { useCallback, useEffect, useRef, useState } from './html.js';

/* {data, problem, reload()}. `load` gets an AbortSignal; it runs when `keys` change, then every `every` ms. */
export function useLoad(load, keys, every = 0) {
  const [state, set] = useState({ data: null, problem: null });
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;

  useEffect(() => set({ data: null, problem: null }), keys);
  useEffect(() => {
    const stop = new AbortController();
    let timer;
    const next = () => {
      if (every && !stop.signal.aborted) timer = setTimeout(run, document.hidden ? every * 5 : every);
    };
    const run = () => latest.current(stop.signal).then(
      (data) => stop.signal.aborted || set({ data, problem: null }),
      (problem) => stop.signal.aborted || set((old) => ({ ...old, problem })),
    ).then(next);
    run();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, [...keys, every, turn]);

  return { ...state, reload: useCallback(() => setTurn((old) => old + 1), []) };
}

/* [busy, problem, run]: run(async function) does it once at a time and keeps what went wrong. */
export function useAction() {
  const [state, set] = useState({ busy: false, problem: null });
  const run = useCallback(async (act) => {
    set({ busy: true, problem: null });
    try {
      const result = await act();
      set({ busy: false, problem: null });
      return result;
    } catch (problem) {
      set({ busy: false, problem });
      return undefined;
    }
  }, []);
  return [state.busy, state.problem, run];
}
