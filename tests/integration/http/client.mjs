// A client that sends events with the npm package `cloudevents`, by fetch: client.mjs FOLDER URL, where
// FOLDER has node_modules. Prints what was answered as one JSON object.
import { createRequire } from "node:module";

const [folder, url] = process.argv.slice(2);
const { CloudEvent, HTTP, Mode, emitterFor } = createRequire(`${folder}/`)("cloudevents");

async function send(message, query = "") {
  const answer = await fetch(url + query, { method: "POST", headers: message.headers, body: message.body });
  return { status: answer.status, type: answer.headers.get("content-type"), body: await answer.json() };
}

function make(id, data, more = {}) {
  return new CloudEvent({ id, source: "/npm", type: "npm.sent", subject: "the \"quoted\" subject",
    shopid: "a b", data, ...more });
}

const answers = {};
answers.binary = await send(HTTP.binary(make("binary", { n: 1, text: "ü" })), "?wait=5s");
answers.structured = await send(HTTP.structured(make("structured", [1, { b: null }])), "?wait=5s");
answers.bytes = await send(HTTP.structured(make("bytes", undefined, {
  datacontenttype: "application/octet-stream", data_base64: "AP8Q",
})), "?wait=5s");
answers.text = await send(HTTP.binary(make("text", "plain words", { datacontenttype: "text/plain" })), "?wait=5s");

const batch = [0, 1, 2].map((number) => make(`batch-${number}`, { number }));
answers.batch = await send({
  headers: { "content-type": "application/cloudevents-batch+json" },
  body: JSON.stringify(batch),
});

for (const mode of [Mode.BINARY, Mode.STRUCTURED]) {
  const emit = emitterFor((message) => send(message, "?wait=5s"), { binding: HTTP, mode });
  answers[`emitter ${mode}`] = await emit(make(`emitter-${mode}`, { mode }));
}

answers.refused = await send(HTTP.binary(make("refused", {}, { type: "npm.strict" })));
console.log(JSON.stringify(answers));
