// Server-sent events over fetch(), because EventSource cannot send a token.
//
// A stream that breaks is taken up behind the last event; the pauses between tries grow to ten seconds. A
// server that refuses (403, 404, ...) is not asked again.
import { request } from './api.js';

const LONGEST_PAUSE = 10000;
const WORK_MS = 12, REST_MS = 24;

/* Events out of pieces of text, which may end anywhere. */
export class EventParser {
  #rest = '';
  #event = {};

  push(text, emit) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    for (const line of lines) this.#line(line, emit);
  }

  #line(line, emit) {
    if (line === '') {
      if (this.#event.data !== undefined) emit({ event: 'message', ...this.#event });
      this.#event = {};
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'data' && this.#event.data !== undefined) this.#event.data += `\n${value}`;
    else this.#event[name] = value;
  }
}

const sleep = (ms, signal) => new Promise((resolve) => {
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => {
    clearTimeout(timer);
    resolve();
  }, { once: true });
});

/* Reads until the end. A flood of events leaves the page time to draw: the server waits, or says what it
   left out. */
async function read(response, emit, signal) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const parser = new EventParser();
  let worked = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const start = performance.now();
    parser.push(value, emit);
    worked += performance.now() - start;
    if (worked > WORK_MS) {
      await sleep(REST_MS, signal);
      worked = 0;
    }
  }
}

/* Calls `emit` for each event and `state` with 'open', 'waiting' or a Problem. Ends with the signal, or when
   `once` and the server ends it. */
export async function stream(path, { query, emit, state = () => {}, signal, once = false }) {
  let last, pause = 250;
  const keep = (event) => {
    if (event.id !== undefined) last = event.id;
    emit(event);
  };
  while (!signal.aborted) {
    try {
      const headers = { Accept: 'text/event-stream', ...(last !== undefined && { 'Last-Event-ID': last }) };
      const response = await request(path, { query, headers, signal });
      state('open');
      pause = 250;
      await read(response, keep, signal);
      if (once) return;
    } catch (problem) {
      if (signal.aborted) return;
      if (problem.status >= 400 && problem.status < 500 && problem.status !== 429) return void state(problem);
    }
    if (!signal.aborted) state('waiting');
    await sleep(pause, signal);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}
