// The whole path of one message, kept up to date until it has ended.
import { html, useEffect, useState } from '../html.js';
import { get, Problem as Failure } from '../api.js';
import { useCell } from '../cell.js';
import { changed, find, messages } from '../feed.js';
import { useLoad } from '../load.js';
import { link } from '../router.js';
import { plural, span, stamp } from '../format.js';
import { Empty, Loaded, State } from '../parts/basics.js';
import { Chart, Steps } from '../parts/path.js';
import { Forgotten, Request, path as requestPath } from '../parts/request.js';

/* What may not be there: responses, as most messages are no requests; reasons, which the hub knows of
   the latest messages only. */
async function ifKnown(path, query, signal) {
  try {
    return await get(path, query, signal);
  } catch (problem) {
    if (problem instanceof Failure && problem.status === 404) return null;
    throw problem;
  }
}

async function load(id, signal) {
  const path = `events/${encodeURIComponent(id)}`;
  const [event, why] = await Promise.all([get(path, {}, signal), ifKnown(`${path}/why`, {}, signal)]);
  const answered = event.steps.some((step) => step.step === 'responded');
  return { event, why, request: answered ? await ifKnown(...requestPath(event.message), signal) : null };
}

/* Matched ones first; those of other types are many and say little, so they are folded. */
function Rules({ rules }) {
  const matched = rules.filter((rule) => rule.matched), others = rules.filter((rule) => !rule.matched);
  const item = (rule) => html`<li><${State} of=${rule.matched ? 'done' : 'no'}><a href=${link(['rules', rule.id])}>${rule.id}</a><//>
    <span class="why">${rule.reason}</span></li>`;
  return html`<section class="panel"><h2>Rules</h2>
    ${matched.length ? html`<ul class="facts">${matched.map(item)}</ul>` : html`<${Empty}>No rule matched.<//>`}
    ${others.length > 0 && html`<details open=${!matched.length}><summary>${plural(others.length, 'rule')} did not match</summary>
      <ul class="facts">${others.map(item)}</ul></details>`}</section>`;
}

function Actions({ actions }) {
  if (!actions.length) return null;
  return html`<section class="panel"><h2>Actions</h2><table><thead><tr><th>Agent</th><th>Action</th><th>State</th><th class="n">Attempts</th></tr></thead>
    <tbody>${actions.map((action) => html`<tr><td><a href=${link(['agents', action.agent])}>${action.agent}</a></td><td>${action.action}</td>
      <td><${State} of=${action.state} />${action.reason && html` <span class="why">${action.reason}</span>`}</td><td class="n">${action.attempt}</td></tr>`)}</tbody></table></section>`;
}

const Followed = ({ title, list }) => html`<section class="panel"><h2>${title}</h2><ul class="facts">${list.map(({ message, type }) => {
  const known = find(message);
  return html`<li><a href=${link(['message', message])}>${known?.type || type || message}</a> ${known && html`<${State} of=${known.state} />`}
    <span class="why">${known?.id || message}</span></li>`;
})}</ul></section>`;

/* Messages that follow from this one: by its own steps, and by what other messages say. */
function followUps(event) {
  const found = new Map(event.steps.filter((step) => step.step === 'emitted' && step.other)
    .map((step) => [step.other, { message: step.other }]));
  for (const m of messages()) if (m.cause === event.message) found.set(m.message, m);
  return [...found.values()];
}

const cause = (event) => event.steps.find((step) => step.step === 'admitted')?.cause || find(event.message)?.cause;

function Head({ event }) {
  const { steps } = event, last = steps.reduce((most, step) => Math.max(most, step.t_us), 0), user = steps.find((step) => step.user)?.user;
  return html`<header class="head"><p class="crumb"><a href="#/live">Live</a> / message</p>
    <h1>${event.type} <span class="quiet">${event.id}</span></h1>
    <dl class="facts-line"><div><dt>State</dt><dd><${State} of=${event.state} /></dd></div>
      <div><dt>Accepted</dt><dd>${stamp(steps[0]?.t_us)}${user && html` from ${user}`}</dd></div>
      <div><dt>Took</dt><dd>${steps.length ? span(last - steps[0].t_us) : '–'}</dd></div>
      <div><dt>Message</dt><dd class="mono">${event.message}</dd></div>
      <div><dt>More</dt><dd><a href=${link(['live'], { type: event.type })}>of this type</a></dd></div></dl></header>`;
}

function Path({ event, why, request }) {
  const open = event.state === 'in flight', before = cause(event), after = followUps(event);
  return html`<${Head} event=${event} />
    <section class="panel chart-panel"><h2>Path</h2><${Chart} steps=${event.steps} open=${open} /><${Steps} steps=${event.steps} />
      ${open && html`<p class="hint" role="status">Goes on…</p>`}</section>
    <div class="side">${why && html`<${Rules} rules=${why.rules} /><${Actions} actions=${why.actions} />`}
      ${request ? html`<${Request} request=${request} />` : html`<${Forgotten} steps=${event.steps} />`}
      ${before && html`<${Followed} title="Follows from" list=${[{ message: before }]} />`}
      ${after.length > 0 && html`<${Followed} title="Follow-ups" list=${after} />`}
      ${why?.event && html`<section class="panel"><h2>Event</h2><pre tabindex="0" aria-label="Event">${JSON.stringify(why.event, null, 2)}</pre></section>`}</div>`;
}

export function Message({ id }) {
  const [over, setOver] = useState(false);
  const state = useLoad((signal) => load(id, signal), [id], over ? 0 : 1000);
  useCell(changed);
  const now = find(id)?.state ?? state.data?.event.state;
  useEffect(() => setOver(state.data?.event.state !== undefined && state.data.event.state !== 'in flight' && now !== 'in flight'), [state.data, now]);
  return html`<div class="message"><${Loaded} from=${state}>${(data) => html`<${Path} ...${data} />`}<//></div>`;
}
