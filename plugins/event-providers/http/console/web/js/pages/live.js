// What is going on now: numbers, plots, and the stream of messages.
import { html, useEffect, useMemo, useRef, useState } from '../html.js';
import { useCell } from '../cell.js';
import { changed, connection, lostRecords, messages, rates, recentAlerts, series, stats, statsProblem } from '../feed.js';
import { fromText, predicate, toText } from '../filter.js';
import { go, link, refine } from '../router.js';
import { clock, count, rate, short, span } from '../format.js';
import { Number as Figure, Problem, State } from '../parts/basics.js';
import { Plot } from '../parts/plot.js';
import { VirtualList } from '../parts/virtual.js';

const ROW = 28;
const CHOICES = [['', 'All'], ['in flight', 'In flight'], ['done', 'Done'], ['failed', 'Failed'], ['unmatched', 'Unmatched']];
const live = (query) => link(['live'], query);

/* [name, value, where its messages are, is it bad] */
function figures(now, speed) {
  return [
    ['Accepted', `${rate(speed?.accepted ?? NaN)}/s`, live({ step: 'admitted' })],
    ['In flight', now.in_flight, live({ state: 'in flight' })],
    ['Waiting', now.waiting, live({ step: 'scheduled', state: 'in flight' })],
    ['Running', now.running, live({ state: 'in flight', step: 'attempt' })],
    ['Finished', now.finished, live({ step: 'finished' })],
    ['Unmatched', now.unmatched, live({ state: 'unmatched' })],
    ['Retries', now.retries, live({ step: 'retry' })],
    ['Refused', now.refused, live({ state: 'refused' }), true],
    ['Shed', now.shed, live({ state: 'shed' }), true],
    ['Dead letters', now.dead_letters, link(['dead']), true],
  ];
}

function Strip() {
  const now = useCell(stats), speed = useCell(rates);
  if (!now) return html`<div class="strip" aria-busy="true" />`;
  return html`<dl class="strip">${figures(now, speed).map(([name, value, href, bad]) => html`<div><dt>${name}</dt>
    <dd><${Figure} of=${value} href=${href} bad=${bad} format=${(of) => (typeof of === 'number' ? short(of) : of)} /></dd></div>`)}
    <div class="hub"><dt>Hub</dt><dd>${now.durable ? 'durable' : 'in memory'}, <a href=${link(['rules'])}>${count(now.rules)} rules</a>, generation ${now.generation}</dd></div></dl>`;
}

const LINES = {
  throughput: [{ key: 'accepted', label: 'accepted', colour: 'blue', fill: true, href: live({ step: 'admitted' }) },
    { key: 'finished', label: 'finished', colour: 'green', href: live({ step: 'finished' }) }],
  latency: [{ key: 'p50', label: 'median', colour: 'blue', href: live({ state: 'done' }) },
    { key: 'p99', label: '99 %', colour: 'violet', href: live({ state: 'done' }) }],
  failures: [{ key: 'retries', label: 'retries', colour: 'amber', href: live({ step: 'retry' }) },
    { key: 'dead', label: 'dead', colour: 'red', fill: true, href: live({ state: 'dead' }) },
    { key: 'refused', label: 'refused', colour: 'violet', href: live({ state: 'refused' }) }],
};

function Plots() {
  const now = useCell(stats);
  const columns = useMemo(() => series.columns(Math.floor(Date.now() / 1000) - 1), [now]);
  const pick = (second) => refine({ at: second });
  return html`<section class="plots" aria-label="The last five minutes">
    <${Plot} title="Throughput" unit="a second" lines=${LINES.throughput} columns=${columns} format=${rate} onPick=${pick} />
    <${Plot} title="Latency" unit="accepted to finished" lines=${LINES.latency} columns=${columns} format=${(ms) => span(ms * 1000)} onPick=${pick} />
    <${Plot} title="Failures" unit="a second" lines=${LINES.failures} columns=${columns} format=${rate} onPick=${pick} />
  </section>`;
}

/* Newest first. While it is held, what was there stays, and newer ones are only counted. */
function useStream(query, held) {
  const turn = useCell(changed), kept = useRef(null);
  const test = useMemo(() => predicate(query), [JSON.stringify(query)]);
  const all = messages();
  if (!held) kept.current = null;
  else kept.current ??= { all: all.slice(), last: all.at(-1) };
  return useMemo(() => {
    const source = kept.current?.all ?? all;
    const shown = (test ? source.filter(test) : source.slice()).reverse();
    let newer = 0;
    for (let i = all.length - 1; kept.current && i >= 0 && all[i] !== kept.current.last; i--) newer += !test || test(all[i]) ? 1 : 0;
    return { shown, newer, all: all.length };
  }, [turn, test, held]);
}

const cell = (className, content) => html`<span role="gridcell" class=${className}>${content}</span>`;
const HEAD = [['c-time', 'Time'], ['c-state', 'State'], ['c-type', 'Type'], ['c-id', 'Event'], ['c-took', 'Took'], ['c-tries', 'Tries'],
  ['c-agents', 'Agents'], ['c-text', 'Said']].map(([name, text]) => html`<span role="columnheader" class=${name}>${text}</span>`);

function row(m) {
  return [
    cell('c-time', clock(m.first)),
    cell('c-state', html`<${State} of=${m.state} />`),
    cell('c-type', m.type || '–'),
    cell('c-id', html`<a href=${link(['message', m.message])} tabindex="-1">${m.id || m.message}</a>`),
    cell('c-took', m.finished ? span(m.finished - m.first) : ''),
    cell('c-tries', m.attempts ? html`${m.attempts}${m.retries > 0 && html`<span class="retried"> ${m.retries} again</span>`}` : ''),
    cell('c-agents', m.agents.join(', ')),
    cell('c-text', m.text),
  ];
}

function FilterBar({ query, paused, setPaused, shown, all }) {
  const [text, setText] = useState(toText(query));
  const known = JSON.stringify(query);
  useEffect(() => {
    if (toText(fromText(text)) !== toText(query)) setText(toText(query));
  }, [known]);
  const input = (event) => {
    setText(event.target.value);
    refine(fromText(event.target.value));
  };
  return html`<div class="bar">
    <input type="search" class="filter" data-filter value=${text} onInput=${input} placeholder="type=order.* agent=mailer or any text"
      aria-label="Filter messages: type, agent, rule, user, step, state, or any text" spellcheck=${false} />
    <div class="choices" role="group" aria-label="State">${CHOICES.map(([state, label]) => html`<a href=${live({ ...query, state })}
      aria-current=${(query.state ?? '') === state ? 'true' : undefined}>${label}</a>`)}</div>
    <span class="tally">${count(shown)} of ${count(all)}${lostRecords() > 0 && html`, ${count(lostRecords())} records missed`}</span>
    <button type="button" data-pause aria-pressed=${paused} onClick=${() => setPaused(!paused)}>${paused ? 'Go on' : 'Pause'}</button>
  </div>`;
}

function Alerts() {
  useCell(changed);
  const last = recentAlerts().at(-1);
  if (!last) return null;
  return html`<p class="alert"><${State} of=${last.step === 'alert' ? 'failed' : 'open'}>${last.step}<//> <span class="when">${clock(last.t_us)}</span>
    ${last.agent && html` <a href=${link(['agents', last.agent])}>${last.agent}</a>`} ${last.reason} ${last.text}</p>`;
}

export function Live({ query }) {
  const [paused, setPaused] = useState(false), [away, setAway] = useState(false);
  const { shown, newer, all } = useStream(query, paused || away);
  const state = useCell(connection), problem = useCell(statsProblem), list = useRef(null);
  const toTop = () => {
    setPaused(false);
    list.current.querySelector('.scroll').scrollTop = 0;
  };
  return html`<h1 class="unseen">Live</h1>
    <${Problem} of=${typeof state === 'object' ? state : problem} />
    <${Strip} /><${Plots} /><${Alerts} />
    <section class="stream" ref=${list} aria-label="Messages">
      <${FilterBar} query=${query} paused=${paused} setPaused=${setPaused} shown=${shown.length} all=${all} />
      ${newer > 0 && html`<button type="button" class="newer" onClick=${toTop}>${count(newer)} newer</button>`}
      <${VirtualList} items=${shown} row=${row} keyOf=${(m) => m.message} open=${(m) => go(['message', m.message])} rowHeight=${ROW}
        label="Messages, newest first" head=${HEAD} onAway=${setAway} classOf=${(m) => (m.failed ? 'failed' : '')} />
      ${shown.length === 0 && html`<p class="empty over">${all ? 'No message passes the filter.' : 'No message yet.'}</p>`}
    </section>`;
}
