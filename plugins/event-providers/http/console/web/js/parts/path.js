// The steps of a message: as a chart with a lane for each action, and as a list with everything in it.
import { html } from '../html.js';
import { link } from '../router.js';
import { clock, plural, span } from '../format.js';

const TONES = { done: 'good', finished: 'good', delivered: 'good', retry: 'warn', delayed: 'warn', alert: 'warn', duplicate: 'warn', dropped: 'warn',
  dead: 'bad', shed: 'bad', expired: 'bad', refused: 'bad', 'rule-failed': 'bad', cancelled: 'warn', attempt: 'busy', responded: 'busy',
  replayed: 'busy', emitted: 'busy' };
const OVER = { done: 'good', retry: 'warn', dead: 'bad', shed: 'bad', expired: 'bad', cancelled: 'warn' };

/* What a step says beside its name, in words and links. */
function details(step) {
  const parts = [];
  if (step.rule) parts.push(html`rule <a href=${link(['rules', step.rule])}>${step.rule}</a>`);
  if (step.agent) parts.push(html`agent <a href=${link(['agents', step.agent])}>${step.agent}</a>`);
  if (step.type && !step.agent) parts.push(html`type <a href=${link(['live'], { type: step.type })}>${step.type}</a>`);
  if (step.type && step.agent) parts.push(html`action ${step.type}`);
  if (step.attempt) parts.push(`attempt ${step.attempt}`);
  if (step.user) parts.push(html`by ${step.user}`);
  if (step.rules !== undefined) parts.push(`${plural(step.rules, 'rule')} matched, ${plural(step.actions ?? 0, 'action')} made`);
  if (step.count) parts.push(`${plural(step.count, 'response')} that the client did not take`);
  if (step.due_us) parts.push(`again at ${clock(step.due_us)}, after ${span(step.due_us - step.t_us)}`);
  if (step.cause) parts.push(html`follows from <a href=${link(['message', step.cause])}>${step.cause}</a>`);
  if (step.other) parts.push(html`message <a href=${link(['message', step.other])}>${step.other}</a>`);
  return parts;
}

const ALIKE = 3;

/* Of many responses in a row the first ones, and how many more there are. */
function folded(steps) {
  const shown = [];
  let alike = 0;
  for (const step of steps) {
    alike = step.step === 'responded' ? alike + 1 : 0;
    if (alike <= ALIKE) shown.push(step);
    else shown[shown.length - 1] = { t_us: step.t_us, step: 'responded', text: `${alike - ALIKE + 1} times more` };
  }
  return shown;
}

export function Steps({ steps }) {
  const start = steps[0]?.t_us ?? 0;
  return html`<ol class="steps">${folded(steps).map((step) => html`<li class=${TONES[step.step] ?? 'quiet'}>
    <span class="when" title=${clock(step.t_us)}>+${span(step.t_us - start)}</span>
    <span class="mark" aria-hidden="true" />
    <div><strong>${step.step}</strong>${details(step).map((part) => html`<span class="part">${part}</span>`)}
      ${(step.reason || step.text) && html`<div class="said">${step.reason}${step.reason && step.text ? ': ' : ''}${step.text}</div>`}</div>
  </li>`)}</ol>`;
}

/* Lanes: for each action its attempts and, between them, its waits. */
function lanes(steps, end) {
  const found = new Map();
  for (const step of steps.filter((each) => each.action)) {
    if (!found.has(step.action)) found.set(step.action, { ordinal: step.action, rule: step.rule, agent: step.agent, bars: [] });
    const { bars } = found.get(step.action), last = bars.at(-1);
    if (step.step === 'attempt') {
      if (last && last.end === null) last.end = step.t_us;
      bars.push({ kind: 'busy', start: step.t_us, end: null, title: `attempt ${step.attempt ?? 1}` });
    } else if (OVER[step.step] && last && last.end === null) {
      Object.assign(last, { end: step.t_us, kind: OVER[step.step], title: `${last.title}: ${step.step} ${step.reason ?? ''}` });
      if (step.step === 'retry') bars.push({ kind: 'wait', start: step.t_us, end: null, title: 'waits for the next attempt' });
    } else if (step.step === 'scheduled' || step.step === 'replayed') {
      bars.push({ kind: 'wait', start: step.t_us, end: null, title: `waits: ${step.reason ?? step.step}` });
    }
  }
  for (const lane of found.values()) lane.bars.forEach((bar) => { bar.end ??= end; });
  return [...found.values()].sort((a, b) => a.ordinal - b.ordinal);
}

export function Chart({ steps, open }) {
  if (!steps.length) return null;
  const start = steps[0].t_us, last = Math.max(...steps.map((step) => step.t_us));
  const end = open ? Math.max(last, Date.now() * 1000) : last, all = Math.max(1, end - start);
  const x = (t) => `${((t - start) / all * 100).toFixed(3)}%`;
  const width = (bar) => `${Math.max(0.25, (bar.end - bar.start) / all * 100).toFixed(3)}%`;
  const rows = lanes(steps, end);
  if (!rows.length) return null;
  return html`<div class="chart">
    <div class="lane scale" aria-hidden="true"><span class="name" /><div class="ticks">
      ${[0, 0.25, 0.5, 0.75, 1].map((part) => html`<span>${part ? span(all * part) : '0'}</span>`)}</div></div>
    ${rows.map((lane) => html`<div class="lane">
      <span class="name"><a href=${link(['agents', lane.agent])}>${lane.agent}</a> <a class="quiet" href=${link(['rules', lane.rule])}>${lane.rule}</a></span>
      <svg role="img" aria-label="${lane.agent}: ${lane.bars.map((bar) => `${bar.title}, ${span(bar.end - bar.start)}`).join('; ')}">
        ${lane.bars.map((bar) => html`<rect class=${bar.kind} x=${x(bar.start)} width=${width(bar)} y=${bar.kind === 'wait' ? 9 : 4} height=${bar.kind === 'wait' ? 4 : 14} rx="2">
          <title>${bar.title}, ${span(bar.end - bar.start)}</title></rect>`)}
      </svg></div>`)}
  </div>`;
}
