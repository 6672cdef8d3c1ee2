// A value that others watch: what modules without a page (router, session, feed) tell the pages.
import { useEffect, useState } from './html.js';

export class Cell {
  #value;
  #watchers = new Set();

  constructor(value) {
    this.#value = value;
  }

  get value() {
    return this.#value;
  }

  set value(value) {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const watcher of [...this.#watchers]) watcher(value);
  }

  /* Returns the function that ends it. */
  watch(watcher) {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}

/* The cell's value; the component is drawn again when it changes. */
export function useCell(cell) {
  const [value, set] = useState(cell.value);
  useEffect(() => {
    set(cell.value);
    return cell.watch(set);
  }, [cell]);
  return value;
}
