// Posts an event that is pasted or typed, as it stands, and leads to its path.
import { html, useState } from '../html.js';
import { send } from '../api.js';
import { say } from '../announce.js';
import { keep, posted } from '../drafts.js';
import { useAction } from '../load.js';
import { go, link } from '../router.js';
import { Ago, Field, Problem } from '../parts/basics.js';
import { Editor } from '../parts/editor.js';

const EVENT = 'application/cloudevents+json', BATCH = 'application/cloudevents-batch+json';
const first = () => JSON.stringify({ specversion: '1.0', id: `console-${Date.now().toString(36)}`, source: 'console',
  type: 'order.created', data: { id: 'A-17', total: 250 } }, null, 2);

/* The type of an event for the list of drafts; the server judges the text. */
function typeOf(text) {
  try {
    return JSON.parse(text).type ?? '';
  } catch {
    return '';
  }
}

async function post(text, waits, feeds) {
  const batch = text.trimStart().startsWith('[');
  const { data } = await send('POST', waits || feeds ? 'requests' : 'events',
    { body: text, type: batch ? BATCH : EVENT, query: feeds ? { feed: 'true' } : {} });
  const made = data.events ?? [{ ...data, message: data.message ?? data.request_id }];
  const t_us = Date.now() * 1000;
  if (!batch) keep({ message: made[0].message, id: made[0].id ?? made[0].message, type: typeOf(text), text, t_us });
  return made;
}

const Accepted = ({ events }) => html`<section class="panel" role="status"><h2>Accepted</h2><ul class="facts">${events.map((event) => html`<li>
  <a href=${link(['message', event.message])}>${event.id ?? event.message}</a>
  <span class="why">${event.duplicate ? 'a duplicate: the first one is shown' : event.durability ?? ''}</span></li>`)}</ul></section>`;

const Before = ({ onUse }) => html`<section class="panel"><h2>Posted from this tab</h2><ul class="facts">${posted().map((draft) => html`<li>
  <a href=${link(['message', draft.message])}>${draft.type || draft.id}</a> <span class="why">${draft.id}</span> <${Ago} us=${draft.t_us} />
  <button type="button" class="plain" onClick=${() => onUse(draft.text)}>Use again</button></li>`)}</ul></section>`;

export function Submit() {
  const [text, setText] = useState(first), [made, setMade] = useState(null);
  const [waits, setWaits] = useState(false), [feeds, setFeeds] = useState(false);
  const [busy, problem, run] = useAction();
  const submit = async () => {
    const events = await run(() => post(text, waits, feeds));
    if (!events) return setMade(null);
    say(events.length === 1 ? `Accepted as ${events[0].id ?? events[0].message}` : `${events.length} events accepted`);
    if (events.length === 1) go(['message', events[0].message]);
    else setMade(events);
  };
  return html`<header class="head"><h1>Post an event</h1><p class="hint">A CloudEvent in JSON, or a list of them. It is sent as it stands.</p></header>
    <div class="tester"><section class="panel"><${Field} label="Event"><${Editor} value=${text} onInput=${setText} rows=${14} errors=${problem?.errors ?? []} label="Event" onSubmit=${submit} /><//>
      <label class="check"><input type="checkbox" checked=${waits} onChange=${() => setWaits(!waits)} /> as a request: keep the responses</label>
      <label class="check"><input type="checkbox" checked=${feeds} onChange=${() => setFeeds(!feeds)} /> as a feed: go on with updates until it is cancelled</label>
      <div class="buttons"><button type="button" onClick=${() => setText(first())}>New event</button>
        <button type="button" class="primary" disabled=${busy} onClick=${submit}>Post and follow</button></div></section>
    <div><${Problem} of=${problem} />${made && html`<${Accepted} events=${made} />`}${posted().length > 0 && html`<${Before} onUse=${setText} />`}</div></div>`;
}
