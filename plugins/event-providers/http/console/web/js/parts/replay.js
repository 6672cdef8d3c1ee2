// Windows that replay or drop dead letters: first what would be done, then how far it is.
import { html, useEffect, useRef, useState } from '../html.js';
import { get, send } from '../api.js';
import { say } from '../announce.js';
import { stream } from '../sse.js';
import { useAction, useLoad } from '../load.js';
import { link } from '../router.js';
import { count, plural, span } from '../format.js';
import { Field, Loaded, Problem, State } from './basics.js';
import { Dialog } from './dialog.js';

const letterPath = (id) => `dead-letters/${encodeURIComponent(id)}`;

const Progress = ({ done, all }) => html`<div class="progress"><progress value=${done} max=${all} aria-label="Progress" />
  <span role="status">${count(done)} of ${count(all)}</span></div>`;

/* The agents that would get the letters: a paused one, or one with an open breaker, is worth knowing. */
function Agents({ ids }) {
  const state = useLoad((signal) => get('agents', {}, signal), []);
  return html`<${Loaded} from=${state}>${({ agents }) => html`<ul class="facts">${ids.map((id) => {
    const agent = agents.find((each) => each.id === id);
    return html`<li><a href=${link(['agents', id])}>${id}</a> ${agent ? html`<${State} of=${agent.state} />
      ${agent.breaker !== 'closed' && html`<${State} of=${agent.breaker}>breaker ${agent.breaker}<//>`}` : html`<${State} of="failed">is not there<//>`}</li>`;
  })}</ul>`}<//>`;
}

/* onClose(has something been done). One request after another; stops at the first that fails. */
function useEach(letters, method, suffix, word) {
  const [done, setDone] = useState(0), [busy, problem, run] = useAction(), stopped = useRef(false);
  useEffect(() => () => {
    stopped.current = true;
  }, []);
  const start = () => run(async () => {
    for (let i = done; i < letters.length && !stopped.current; i++) {
      await send(method, letterPath(letters[i].id) + suffix);
      setDone(i + 1);
    }
    say(`${plural(letters.length, 'letter')} ${word}`);
  });
  return { done, busy, problem, start };
}

function Each({ letters, title, verb, danger, each, onClose, children }) {
  const over = each.done === letters.length, idle = !each.busy && !over;
  const close = () => onClose(each.done > 0);
  return html`<${Dialog} title=${title} onClose=${close}>${children}
    ${(each.busy || each.done > 0) && html`<${Progress} done=${each.done} all=${letters.length} />`}<${Problem} of=${each.problem} />
    <div class="buttons"><button type="button" onClick=${close} data-first>${over ? 'Close' : each.busy ? 'Stop' : 'Cancel'}</button>
      ${idle && html`<button type="button" class=${danger ? 'danger' : 'primary'} onClick=${each.start}>${each.problem ? 'Go on' : verb}</button>`}</div><//>`;
}

export function ReplayChosen({ letters, onClose }) {
  const [kept] = useState(letters), each = useEach(kept, 'POST', ':replay', 'replayed');
  return html`<${Each} letters=${kept} title="Replay ${plural(kept.length, 'letter')}" verb="Replay" each=${each} onClose=${onClose}>
    <p>${kept.length === 1 ? 'It gets' : 'They get'} a new set of attempts by:</p><${Agents} ids=${[...new Set(kept.map((letter) => letter.agent))]} /><//>`;
}

export function DropChosen({ letters, onClose }) {
  const [kept] = useState(letters), each = useEach(kept, 'DELETE', '', 'dropped');
  return html`<${Each} letters=${kept} title="Drop ${plural(kept.length, 'letter')}?" verb="Drop for good" danger each=${each} onClose=${onClose}>
    <p>What ${kept.length === 1 ? 'it' : 'they'} should have done will not be done. This cannot be undone.</p><//>`;
}

/* Counts the records that say a letter was replayed, from the moment it is told to begin. */
function useReplayed(filter) {
  const [done, setDone] = useState(0), stop = useRef(null);
  useEffect(() => () => stop.current?.abort(), []);
  const begin = () => new Promise((resolve) => {
    stop.current = new AbortController();
    stream('telemetry', { query: { step: 'replayed', agent: filter.agent, rule: filter.rule }, signal: stop.current.signal,
      emit: ({ event }) => event === 'step' && setDone((old) => old + 1), state: resolve });
  });
  return [done, begin];
}

export function ReplayMatching({ filter, onClose }) {
  const [rate, setRate] = useState(10), [all, setAll] = useState(null), [busy, problem, run] = useAction();
  const dry = useLoad(() => send('POST', 'dead-letters:replay', { query: { ...filter, rate, dry_run: true } }), []);
  const [done, begin] = useReplayed(filter);
  const start = (event) => {
    event.preventDefault();
    run(async () => {
      await begin();
      const { data } = await send('POST', 'dead-letters:replay', { query: { ...filter, rate } });
      setAll(data.count);
      say(`${plural(data.count, 'letter')} will be replayed at ${rate} a second`);
    });
  };
  const words = Object.entries(filter).filter(([, value]) => value).map(([name, value]) => `${name} ${value}`).join(', ');
  return html`<${Dialog} title="Replay dead letters" onClose=${onClose}><form onSubmit=${start}>
    <${Loaded} from=${dry}>${({ data }) => html`<p><strong>Dry run:</strong> ${plural(data.count, 'letter')} ${words ? html`of ${words}` : 'of all agents'} would be replayed,
      in ${span(data.count / rate * 1e6)}.</p>`}<//>
    ${filter.agent && html`<${Agents} ids=${[filter.agent]} />`}
    ${all === null ? html`<${Field} label="Letters a second"><input type="number" min="1" max="10000" required value=${rate} onInput=${(event) => setRate(Number(event.target.value) || 1)} data-first /><//>`
      : html`<${Progress} done=${Math.min(done, all)} all=${all} />`}
    <${Problem} of=${problem} />
    <div class="buttons"><button type="button" onClick=${onClose}>${all === null ? 'Cancel' : 'Close'}</button>
      ${all === null && html`<button class="primary" disabled=${busy || !dry.data?.data.count}>Replay ${count(dry.data?.data.count ?? 0)}</button>`}</div>
    ${all !== null && done < all && html`<p class="hint">The hub goes on when this is closed.</p>`}</form><//>`;
}
