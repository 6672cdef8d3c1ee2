// The one telemetry stream of the page: the last messages, what is to be looked at, and the plots' data.
//
// Pages watch `changed`, which moves at most five times a second, whatever the hub does.
import { Cell } from './cell.js';
import { begin, fold } from './fold.js';
import { get } from './api.js';
import { stream } from './sse.js';
import { Series } from './series.js';

const LIMIT = 10000, ALERTS = 50, DRAW_MS = 200;

export const changed = new Cell(0);
/* 'connecting', 'open', 'waiting' or a Problem */
export const connection = new Cell('connecting');
export const stats = new Cell(null);
export const rates = new Cell(null);
export const statsProblem = new Cell(null);
export const series = new Series();

const byMessage = new Map();
let order = [], alerts = [], lost = 0, timer = 0;

/* Oldest first, 10,000 at most. */
export const messages = () => order;
export const find = (message) => byMessage.get(message);
export const recentAlerts = () => alerts;
export const lostRecords = () => lost;

function touch() {
  timer ||= setTimeout(() => {
    timer = 0;
    changed.value++;
  }, DRAW_MS);
}

function message(step) {
  let m = byMessage.get(step.message);
  if (!m) {
    m = begin(step);
    byMessage.set(step.message, m);
    order.push(m);
    if (order.length > LIMIT) forget(order.length - LIMIT);
  }
  return m;
}

/* A tenth at once, so that an array of 10,000 is not moved for each message. */
function forget(over) {
  if (over < LIMIT / 10) return;
  order.slice(0, over).forEach((m) => byMessage.delete(m.message));
  order = order.slice(over);
}

export function take(step) {
  series.step(step);
  if (step.step === 'hub' || step.step === 'alert') alerts = [...alerts.slice(1 - ALERTS), step];
  if (!step.message || step.step === 'duplicate') return touch();
  const m = message(step);
  fold(m, step);
  if (step.step === 'emitted' && step.other && byMessage.has(step.other)) byMessage.get(step.other).cause = m.message;
  if (step.step === 'finished' && m.type && !m.steps.includes('replayed')) series.latency(step.t_us, step.t_us - m.first);
  touch();
}

function event({ event: kind, data }) {
  if (kind === 'step') take(JSON.parse(data));
  if (kind === 'gap') lost += JSON.parse(data).lost;
  touch();
}

async function poll() {
  try {
    stats.value = await get('stats');
    rates.value = series.stats(stats.value) ?? rates.value;
    statsProblem.value = null;
  } catch (problem) {
    statsProblem.value = problem;
  }
  setTimeout(poll, document.hidden || statsProblem.value ? 5000 : 1000);
}

export function start() {
  stream('telemetry', { query: { since: 'oldest' }, emit: event, signal: new AbortController().signal,
    state: (state) => {
      connection.value = state;
    } });
  poll();
}
