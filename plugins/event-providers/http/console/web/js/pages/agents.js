// All agents: state, queue, latency, failures; and pause, resume, drain.
import { html, useState } from '../html.js';
import { get, send } from '../api.js';
import { say } from '../announce.js';
import { useAction, useLoad } from '../load.js';
import { go, link } from '../router.js';
import { count, short, span } from '../format.js';
import { Empty, Loaded, Number as Figure, Problem, State } from '../parts/basics.js';
import { Histogram } from '../parts/histogram.js';
import { useRowKeys } from '../parts/list.js';

const live = (agent, query) => link(['live'], { agent: agent.id, ...query });
const DONE = { pause: 'is paused', resume: 'runs', drain: 'is drained and paused' };

function useVerbs(reload) {
  const [busy, problem, run] = useAction(), [what, setWhat] = useState('');
  const act = async (agent, verb) => {
    setWhat(`${agent.id}:${verb}`);
    if (await run(() => send('POST', `agents/${encodeURIComponent(agent.id)}:${verb}`, { query: { wait: verb === 'drain' ? '30s' : '' } }))) {
      say(`Agent ${agent.id} ${DONE[verb]}`);
    }
    setWhat('');
    reload();
  };
  return { busy, problem, act, what };
}

function Verbs({ agent, verbs }) {
  const button = (verb, label, title) => html`<button type="button" disabled=${verbs.busy} title=${title} aria-label="${label} ${agent.id}"
    onClick=${() => verbs.act(agent, verb)}>${verbs.what === `${agent.id}:${verb}` ? '…' : label}</button>`;
  return html`<div class="verbs">${agent.state === 'paused' ? button('resume', 'Resume', 'Begin attempts again')
    : html`${button('pause', 'Pause', 'Begin no more attempts')}${button('drain', 'Drain', 'Pause, and wait until nothing runs')}`}</div>`;
}

function Row({ agent, chosen, verbs }) {
  return html`<tr tabindex="-1" class=${chosen ? 'chosen' : ''}><th scope="row"><a href=${link(['agents', chosen ? '' : agent.id].filter(Boolean))} aria-expanded=${chosen}>${agent.id}</a>
      <span class="quiet sub">${agent.plugin}, ${agent.mode}</span></th>
    <td><${State} of=${agent.state} /></td><td><${State} of=${agent.breaker} /></td>
    <td class="n"><${Figure} of=${agent.queued} href=${live(agent, { state: 'in flight' })} /></td>
    <td class="n"><${Figure} of=${agent.parked} href=${live(agent, { state: 'in flight' })} /></td>
    <td class="n"><${Figure} of=${agent.running} href=${live(agent, { state: 'in flight' })} /><span class="quiet">/${agent.concurrency}</span></td>
    <td class="n"><${Figure} of=${agent.done} href=${live(agent, { step: 'done' })} format=${short} /></td>
    <td class="n"><${Figure} of=${agent.retries} href=${live(agent, { step: 'retry' })} format=${short} /></td>
    <td class="n"><${Figure} of=${agent.dead} href=${link(['dead'], { agent: agent.id })} format=${short} bad /></td>
    <td class="n"><${Figure} of=${agent.shed} href=${live(agent, { state: 'shed' })} format=${short} bad /></td>
    <td class="n">${agent.latency.count ? span(agent.latency.p50_us) : '–'}</td><td class="n">${agent.latency.count ? span(agent.latency.p99_us) : '–'}</td>
    <td class="histo"><${Histogram} latency=${agent.latency} /></td><td><${Verbs} agent=${agent} verbs=${verbs} /></td></tr>`;
}

const COLUMNS = [['Agent'], ['State'], ['Breaker'], ['Queued', 'n'], ['Parked', 'n'], ['Running', 'n'], ['Done', 'n'], ['Retries', 'n'], ['Dead', 'n'],
  ['Shed', 'n'], ['Median', 'n'], ['99 %', 'n'], ['Latency'], ['']];

function Table({ agents, chosen, verbs }) {
  const keys = useRowKeys((at) => go(['agents', agents[at].id]));
  return html`<div class="sheet"><table class="agents"><thead><tr>${COLUMNS.map(([label, className]) => html`<th scope="col" class=${className}>
      ${label || html`<span class="unseen">Do</span>`}</th>`)}</tr></thead>
    <tbody ...${keys}>${agents.map((agent) => html`<${Row} key=${agent.id} agent=${agent} chosen=${agent.id === chosen} verbs=${verbs} />`)}</tbody></table></div>`;
}

/* What the agent's cache has saved it. */
function Cache({ of }) {
  const saved = of.hits + of.joins, asked = saved + of.misses;
  return html`<div><dt>Cached</dt><dd>${asked ? `${(100 * saved / asked).toFixed(1)} %` : '–'}</dd></div>
    <div><dt>Joined</dt><dd>${count(of.joins)}</dd></div><div><dt>Stale</dt><dd>${count(of.stale)}</dd></div>
    <div><dt>Evicted</dt><dd>${count(of.evicted)}</dd></div><div><dt>Holds</dt><dd>${count(of.entries)}, ${short(of.bytes)}B</dd></div>`;
}

function Detail({ agent }) {
  const { latency } = agent, mean = latency.count ? latency.sum_us / latency.count : NaN;
  return html`<section class="panel" aria-label="Agent ${agent.id}"><h2>${agent.id}</h2>
    <dl class="facts-line"><div><dt>Attempts</dt><dd><${Figure} of=${agent.attempts} href=${live(agent)} /></dd></div>
      <div><dt>Failed attempts</dt><dd>${agent.attempts ? `${(100 * (1 - agent.done / agent.attempts)).toFixed(1)} %` : '–'}</dd></div>
      <div><dt>Mean</dt><dd>${span(mean)}</dd></div><div><dt>Median</dt><dd>${span(latency.p50_us)}</dd></div>
      <div><dt>90 %</dt><dd>${span(latency.p90_us)}</dd></div><div><dt>99 %</dt><dd>${span(latency.p99_us)}</dd></div>
      <div><dt>Samples</dt><dd>${count(latency.count)}</dd></div>${agent.cache && html`<${Cache} of=${agent.cache} />`}</dl>
    <${Histogram} latency=${latency} large /></section>`;
}

export function Agents({ chosen }) {
  const state = useLoad((signal) => get('agents', {}, signal), [], 1000), verbs = useVerbs(state.reload);
  return html`<div class="bar"><h1>${chosen ? html`Agents <span class="quiet">/ ${chosen}</span>` : 'Agents'}</h1></div><${Problem} of=${verbs.problem} />
    <${Loaded} from=${state}>${({ agents }) => {
      const one = agents.find((agent) => agent.id === chosen);
      return html`<${Table} agents=${agents} chosen=${chosen} verbs=${verbs} />
        ${!agents.length && html`<${Empty}>This hub has no agents.<//>`}
        ${one && html`<${Detail} agent=${one} />`}
        ${chosen && !one && html`<${Empty}>There is no agent ${chosen}.<//>`}`;
    }}<//>`;
}
