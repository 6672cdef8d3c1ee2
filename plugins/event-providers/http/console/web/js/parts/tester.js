// Tries a rule, as it is in the editor, on an event: typed, or one that was recorded. Nothing fires.
import { html, useEffect, useMemo, useState } from '../html.js';
import { get, send } from '../api.js';
import { messages } from '../feed.js';
import { useAction } from '../load.js';
import { link } from '../router.js';
import { ago } from '../format.js';
import { posted } from '../drafts.js';
import { Empty, Field, Problem, State } from './basics.js';
import { Editor } from './editor.js';

const CHOICES = 40;
const FIRST = { specversion: '1.0', id: 'test-1', source: 'console', type: 'order.created', data: { id: 'A-17', total: 250 } };
const pretty = (value) => JSON.stringify(value, null, 2);

/* A rule becomes the list of rules that the hub wants. */
const listed = (text) => `- ${text.trimEnd().split('\n').join('\n  ')}\n`;

/* The event of a message: what this tab has posted, or what the hub still has. */
async function recorded(m) {
  const own = posted().find((draft) => draft.message === m.message);
  if (own) return own.text;
  return pretty((await get(`events/${encodeURIComponent(m.message)}/why`)).event);
}

function Choice({ onChoose }) {
  const list = useMemo(() => messages().filter((m) => m.type).slice(-CHOICES).reverse(), []);
  return html`<${Field} label="Recorded event"><select onChange=${(event) => onChoose(list[event.target.value])}>
    <option value="">Choose one of the last ${list.length}…</option>
    ${list.map((m, index) => html`<option value=${index}>${m.type} ${m.id} (${ago(m.first)})</option>`)}</select><//>`;
}

function Result({ of }) {
  return html`<section class="panel" aria-live="polite"><h2>Result</h2>
    <ul class="facts">${of.rules.map((rule) => html`<li><${State} of=${rule.matched ? 'done' : 'no'}>${rule.id} ${rule.matched ? 'matches' : 'does not match'}<//>
      ${!rule.matched && html`<span class="why">${rule.reason}</span>`}</li>`)}</ul>
    ${of.actions.length ? html`<h3>Actions that would be made</h3>${of.actions.map((action) => html`<div class="response">
      <a href=${link(['agents', action.agent])}>${action.agent}</a> ${action.action}${action.as && html` as ${action.as}`}<pre>${typeof action.body === 'string' ? action.body : pretty(action.body)}</pre></div>`)}`
      : html`<${Empty}>No action would be made.<//>`}</section>`;
}

export function Tester({ text, changed, id, message }) {
  const [event, setEvent] = useState(pretty(FIRST)), [all, setAll] = useState(false), [result, setResult] = useState(null);
  const [busy, problem, run] = useAction();
  const choose = async (m) => {
    if (m) setEvent(await run(() => recorded(m)) ?? event);
  };
  useEffect(() => {
    if (message) choose({ message });
  }, [message]);
  const test = async () => {
    const rules = all ? '' : `, "rules": ${JSON.stringify(listed(text))}`;
    const answer = await run(() => send('POST', 'rules:test', { body: `{"event": ${event}${rules}}` }));
    setResult(answer?.data ?? null);
  };
  return html`<div class="tester"><section class="panel"><h2>Event</h2><${Choice} onChoose=${choose} />
      <${Editor} value=${event} onInput=${setEvent} rows=${12} label="Event for the test" onSubmit=${test} />
      <label class="check"><input type="checkbox" checked=${all} onChange=${() => setAll(!all)} /> against all rules that run</label>
      ${!all && changed && html`<p class="hint">Tests ${id || 'the rule'} as it is in the editor, which is not saved.</p>`}
      <div class="buttons"><button type="button" class="primary" disabled=${busy} onClick=${test}>Test</button></div></section>
    <div><${Problem} of=${problem} />${result && html`<${Result} of=${result} />`}</div></div>`;
}
