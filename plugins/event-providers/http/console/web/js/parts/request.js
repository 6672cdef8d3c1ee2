// What agents have answered to a request, or go on answering to a feed: the newest of it, with gaps.
import { html } from '../html.js';
import { send } from '../api.js';
import { say } from '../announce.js';
import { useAction } from '../load.js';
import { link } from '../router.js';
import { count, plural } from '../format.js';
import { Problem, State } from './basics.js';

const NEWEST = 50;
/* Only looks: neither a reader of the request nor the one it waits for. */
export const path = (message) => [`requests/${encodeURIComponent(message)}`, { last: NEWEST }];

const shown = (data) => (typeof data === 'string' ? data : JSON.stringify(data, null, 2));
const Agent = ({ of }) => html`<a href=${link(['agents', of.agent])}>${of.agent}</a>`;

/* The newest progress of each agent that has told one. */
function Bars({ responses }) {
  const newest = new Map(responses.filter(({ kind }) => kind === 'progress').map((each) => [each.agent, each]));
  return [...newest.values()].map((each) => html`<div class="progress"><${Agent} of=${each} />
    <progress max="1" value=${each.progress} aria-label="${each.agent}: ${shown(each.text)}" />
    <span class="n">${Math.round(each.progress * 100)} %</span> <span class="why">${shown(each.text)}</span></div>`);
}

/* The newest come first, so what is missing before one stands below it. */
function Said({ response }) {
  return html`${response.kind === 'part' && html`<p class="response"><${Agent} of=${response} /> has ended: <${State} of=${response.state} /> <span class="why">${response.detail}</span></p>`}
    ${response.kind === 'data' && html`<div class="response"><${Agent} of=${response} />
      ${response.key && html` <span class="key">${response.key}</span>`} <span class="quiet">${count(response.sequence)}</span>
      <pre>${shown(response.data)}</pre></div>`}
    ${response.lost > 0 && html`<p class="gap">${plural(response.lost, 'response')} left out here</p>`}`;
}

function Cancel({ request }) {
  const [busy, problem, run] = useAction();
  const cancel = async () => {
    if (await run(() => send('DELETE', `requests/${encodeURIComponent(request.request_id)}`))) say('The request was cancelled');
  };
  return html`<div class="buttons"><button type="button" disabled=${busy} onClick=${cancel}>Cancel the ${request.feed ? 'feed' : 'request'}</button></div>
    <${Problem} of=${problem} />`;
}

/* `request` as the server tells it. */
export function Request({ request }) {
  const { responses, state } = request, newest = [...responses].reverse();
  return html`<section class="panel" aria-label="Responses"><h2>${request.feed ? 'Feed' : 'Responses'}</h2>
    <p><${State} of=${state === 'open' ? 'in flight' : state}>${state}<//>
      ${request.actions > 0 && html` <span class="quiet">${request.done} of ${plural(request.actions, 'action')} done</span>`}
      ${request.detail && html` <span class="why">${request.detail}</span>`}
      ${responses.length === NEWEST && html` <span class="quiet">the newest ${NEWEST}</span>`}</p>
    <${Bars} responses=${responses} />
    ${newest.map((response) => html`<${Said} key=${response.sequence} response=${response} />`)}
    ${state === 'open' && html`<${Cancel} request=${request} />`}</section>`;
}

/* Of one that the hub has forgotten: that there were some. */
export function Forgotten({ steps }) {
  const said = steps.filter((step) => step.step === 'responded');
  return said.length > 0 && html`<section class="panel"><h2>Responses</h2><p class="why">${plural(said.length, 'response')}. The hub does not keep what was said.</p></section>`;
}
