// A worker for Atamo's `exec` agent: reads actions as JSON lines, answers with JSON lines.
//
//   import { done, run } from "./atamo_worker.mjs";
//   run((action) => done({ hello: action.body.name }));
//
// The handler gets the action (see the README of the `exec` plugin) and returns, or resolves to, what
// done(), retry() or fail() made. An exception is a permanent failure with its text as the reason.

export const done = (response) => ({ outcome: "done", response });
export const retry = (reason, afterMs = 0) => ({ outcome: "retry", reason, retry_after_ms: afterMs });
export const fail = (reason) => ({ outcome: "fail", reason });

const answer = async (handle, line) => {
  const action = JSON.parse(line);
  if ("cancel" in action) return;
  const result = await Promise.resolve(action)
    .then(handle)
    .catch((error) => fail(`${error.name}: ${error.message}`));
  return JSON.stringify({ id: action.id, ...result }) + "\n";
};

// Serve until the hub closes our standard input.
export const run = (handle) => {
  let rest = "";
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", async (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop();
    const answers = await Promise.all(lines.filter(Boolean).map((line) => answer(handle, line)));
    process.stdout.write(answers.filter(Boolean).join(""));
  });
};
