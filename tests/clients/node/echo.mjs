// Answers every action with its own body; `fail`, `retry`, `slow` and `parts` do as they are called.
import { done, fail, retry, run } from "./atamo_worker.mjs";

const kinds = {
  fail: () => fail("as you wish"),
  retry: (action) => (action.attempt < 3 ? retry("not yet", 1) : done()),
  raise: () => {
    throw new RangeError("odd");
  },
  parts: (action) => {
    action.progress(0.5, "half");
    action.respond({ part: 1 });
    action.emit({ type: "followed", data: action.body });
    return done({ part: 2 });
  },
  slow: (action) =>
    new Promise((resolve) => {
      action.signal.addEventListener("abort", () => resolve(retry("cancelled")));
    }),
};

run((action) => (kinds[action.action] ?? (() => done(action.body)))(action));
