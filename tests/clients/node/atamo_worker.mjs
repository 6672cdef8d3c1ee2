// A worker for Atamo's `exec` agent: reads actions as JSON lines, answers with JSON lines.
//
//   import { run } from "./atamo_worker.mjs";
//   run(async (action) => ({ outcome: "done", response: { hello: action.body.name } }));
//
// The handler may be async: as many run at once as the hub hands over, and answers go out in any
// order, all that are ready in one write. It returns the members of the answer, or nothing for
// "done". An exception is a permanent failure with its text as the reason. `action.signal` is
// aborted when the hub cancels the action.

import { writeSync } from "node:fs";

/** The action is done; `response` goes to the client that asked, if there is one. */
export const done = (response) =>
  response === undefined ? { outcome: "done" } : { outcome: "done", response };

/** It failed this time; try again, not before `afterMs`. */
export const retry = (reason, afterMs = 0) => ({ outcome: "retry", reason, retry_after_ms: afterMs });

/** It failed for good. */
export const fail = (reason) => ({ outcome: "fail", reason });

/** Write everything, also to a pipe that is full for the moment. */
function writeAll(text) {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

/** One action, with ways to answer before the end. */
class Action {
  #say;
  #controller;

  constructor(message, say) {
    Object.assign(this, message);
    this.#say = say;
  }

  /** An AbortSignal, made when it is first asked for. */
  get signal() {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  /** The hub does not need it any more; an answer is still due. */
  cancel(reason) {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }

  /** Send the client a response, about `key` if it is about one thing of several; more may follow. */
  respond(response, key) {
    this.#say({ id: this.id, response, key });
  }

  /** Tell the client how far it is, from 0 to 1. */
  progress(progress, text = "") {
    this.#say({ id: this.id, progress, text });
  }

  /** Submit a follow-up event: {type, data, subject, ...}. */
  emit(event) {
    this.#say({ id: this.id, emit: event });
  }
}

/** Serve until the hub closes our standard input. */
export function run(handle) {
  const actions = new Map();
  let lines = [];

  const flush = () => {
    const ready = lines;
    lines = [];
    writeAll(ready.join("\n") + "\n");
  };
  const say = (message) => {
    if (lines.push(JSON.stringify(message)) === 1) setImmediate(flush);
  };
  const perform = async (action) => {
    let answer;
    try {
      answer = (await handle(action)) ?? done();
    } catch (error) {
      answer = fail(String(error));
    }
    actions.delete(action.id);
    say({ id: action.id, ...answer });
  };
  const take = (message) => {
    if ("cancel" in message) {
      actions.get(message.cancel)?.cancel(message.reason);
      return;
    }
    const action = new Action(message, say);
    actions.set(action.id, action);
    perform(action);
  };

  let rest = "";
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", (chunk) => {
    const whole = (rest + chunk).split("\n");
    rest = whole.pop();
    for (const line of whole) if (line !== "") take(JSON.parse(line));
  });
}
