// A hub that only pretends: events walk through rules and agents on a plan made by chance, and every step is
// a telemetry record, as the contract says.
import { EventEmitter } from 'node:events';
import { evaluate, sampleRules } from './rules.mjs';
import { FAILURES, FOLLOW_UPS, random, sampleAgents, sampleEvent } from './world.mjs';

const RECORDS = 120000, now = () => Date.now() * 1000;
const COUNTED = { admitted: 'accepted', refused: 'refused', finished: 'finished', done: 'done', dead: 'dead',
  retry: 'retries', attempt: 'attempts', duplicate: 'duplicates', 'rule-failed': 'rules_failed' };

export class Hub extends EventEmitter {
  constructor({ seed = 7, backlog = 400 } = {}) {
    super();
    this.setMaxListeners(0);
    this.chance = random(seed);
    this.agents = sampleAgents();
    this.rules = sampleRules(now());
    this.records = [];
    this.next = 1;
    this.messages = new Map();
    this.ids = new Map();
    this.letters = new Map();
    this.letter = 1;
    this.generation = 3;
    this.number = 0;
    this.counts = Object.fromEntries([...Object.values(COUNTED), 'in_flight', 'actions', 'unmatched']
      .map((name) => [name, 0]));
    for (let left = backlog; left > 0; left--) this.post(this.sample(), { at: now() - 1e6 - left * (60e6 / backlog) });
  }

  sample() {
    return sampleEvent(this.chance, ++this.number);
  }

  start(rate) {
    const every = Math.max(10, 1000 / rate), each = rate * every / 1000;
    let due = 0;
    this.timer = setInterval(() => {
      for (due += each; due >= 1; due--) this.post(this.sample());
    }, every);
  }

  stop() {
    clearInterval(this.timer);
  }

  uuid() {
    const random12 = () => Math.floor(this.chance() * 0x1000000000000).toString(16).padStart(12, '0');
    const head = (Date.now()).toString(16).padStart(12, '0'), tail = random12();
    return `${head.slice(0, 8)}-${head.slice(8)}-7${tail.slice(0, 3)}-8${tail.slice(3, 6)}-${random12()}`;
  }

  /* Takes an event in and plans its whole way; what lies in the past is recorded at once. */
  post(event, { at = now(), cause, user = 'shop' } = {}) {
    const first = this.ids.get(event.id);
    if (first && !cause) {
      this.record(at, this.messages.get(first), { step: 'duplicate', message: first, other: first, type: event.type });
      return { id: event.id, message: first, duplicate: true };
    }
    const m = { id: event.id, message: this.uuid(), type: event.type, event, state: 'in flight', steps: [], actions: [] };
    this.messages.set(m.message, m);
    this.ids.set(m.id, m.message);
    if (this.messages.size > 20000) this.messages.delete(this.messages.keys().next().value);
    if (event.type === 'cart.abandoned' && this.chance() < 0.3) {
      m.state = 'finished';
      this.record(at, m, { step: 'refused', type: event.type, user, reason: 'required field missing', text: 'data.cart' });
      return { id: m.id, message: m.message, duplicate: false, refused: 'data.cart: required field missing' };
    }
    this.record(at, m, { step: 'admitted', id: m.id, type: event.type, user, ...(cause && { cause }) });
    this.plan(m, at);
    return { id: m.id, message: m.message, duplicate: false };
  }

  plan(m, at) {
    m.why = this.rules.map((rule) => evaluate(rule, m.event));
    const matched = this.rules.filter((rule, index) => m.why[index].matched);
    m.open = matched.length;
    this.record(at + 35, m, { step: 'evaluated', rules: matched.length, actions: matched.length });
    matched.forEach((rule, index) => {
      rule.hits++;
      rule.last_match_us = at;
      m.actions.push({ ordinal: index + 1, rule: rule.id, agent: rule.agent, action: rule.action, state: 'open', attempt: 0 });
      this.attempt(m, m.actions[index], at + 60 + index * 12);
    });
    if (!matched.length) this.end(m, at + 44);
  }

  /* One attempt of one action and what comes of it. */
  attempt(m, action, at) {
    const agent = this.agents.get(action.agent);
    const step = (t, members) => this.later(t, () => this.record(t, m, { action: action.ordinal, type: action.action,
      rule: action.rule, agent: action.agent, attempt: action.attempt, ...members }));
    if (agent.state === 'paused') {
      if (!action.attempt) step(at, { step: 'scheduled', reason: 'agent paused' });
      agent.queued++;
      agent.held = [...agent.held ?? [], () => this.attempt(m, action, now())];
      return;
    }
    const us = Math.round(agent.typical * (0.4 + this.chance() ** 3 * 4)), failed = this.chance() < agent.failing;
    action.attempt++;
    const attempt = action.attempt, over = at + us;
    this.later(at, () => {
      agent.running++;
      this.record(at, m, { step: 'attempt', action: action.ordinal, type: action.action, rule: action.rule, agent: action.agent, attempt });
    });
    this.later(over, () => {
      agent.running--;
      agent.attempts++;
      if (agent.samples.push(us) > 3000) agent.samples.shift();
      if (failed) this.failure(m, action, over, step);
      else this.success(m, action, over, step);
    });
  }

  failure(m, action, at, step) {
    const agent = this.agents.get(action.agent), text = FAILURES[Math.floor(this.chance() * FAILURES.length)];
    if (action.attempt < 3) {
      const due = at + 120000 * 2 ** action.attempt;
      agent.retries++;
      action.state = 'waiting';
      step(at, { step: 'retry', reason: 'agent asks for a retry', text, due_us: due });
      this.later(due, () => this.attempt(m, action, due));
      return;
    }
    Object.assign(action, { state: 'dead', reason: 'out of attempts' });
    agent.dead++;
    const id = String(this.letter++);
    this.letters.set(id, { id, message: m.message, event: m.id, type: m.type, rule: action.rule, agent: action.agent,
      action: action.action, reason: 'out of attempts', text, attempts: action.attempt, died_us: at });
    step(at, { step: 'dead', reason: 'out of attempts', text });
    this.close(m, at + 10);
  }

  success(m, action, at, step) {
    this.agents.get(action.agent).done++;
    action.state = 'done';
    if (action.agent === 'fraud') step(at - 200, { step: 'responded', text: '{"score": 0.12, "verdict": "pass"}' });
    const type = FOLLOW_UPS[action.agent];
    if (type) {
      const event = { ...m.event, id: `${m.id}/${type}`, type, source: action.agent };
      const { message } = this.post(event, { at: at + 5, cause: m.message, user: action.agent });
      step(at, { step: 'emitted', type, other: message });
    }
    step(at + 1, { step: 'done', outcome: 'done' });
    this.close(m, at + 10);
  }

  close(m, at) {
    if (--m.open === 0) this.later(at, () => this.end(m, at));
  }

  end(m, at) {
    m.state = m.actions.some((action) => action.state === 'dead') ? 'dead' : 'finished';
    if (!m.actions.length) this.counts.unmatched++;
    this.record(at, m, { step: 'finished' });
  }

  later(at, act) {
    const ms = (at - now()) / 1000;
    if (ms <= 0) act();
    else setTimeout(act, ms).unref();
  }

  record(t_us, m, members) {
    const step = { t_us: Math.round(t_us), message: m.message, ...members };
    const { message, other, id, ...own } = step;
    m.steps.push({ ...own, ...(other && { message: other }) });
    if (COUNTED[step.step]) this.counts[COUNTED[step.step]]++;
    this.records.push({ n: this.next++, step });
    if (this.records.length > RECORDS * 1.2) this.records.splice(0, RECORDS * 0.2);
    this.emit('record', this.records.at(-1));
  }

  replay(letter) {
    const m = this.messages.get(letter.message);
    this.letters.delete(letter.id);
    if (!m) return;
    const action = m.actions.find((each) => each.rule === letter.rule);
    Object.assign(action, { state: 'open', attempt: 0, reason: undefined });
    m.state = 'in flight';
    m.open++;
    this.record(now(), m, { step: 'replayed', action: action.ordinal, rule: letter.rule, agent: letter.agent, type: letter.action });
    this.attempt(m, action, now() + 20);
  }

  resume(agent) {
    agent.state = 'running';
    const held = agent.held ?? [];
    agent.held = [];
    agent.queued = 0;
    held.forEach((act) => act());
  }

  stats() {
    const agents = [...this.agents.values()], sum = (name) => agents.reduce((total, agent) => total + agent[name], 0);
    return { t_us: now(), ...this.counts, actions: this.counts.attempts - this.counts.retries,
      in_flight: this.counts.accepted - this.counts.finished, shed: 0, cancelled: 0, expired: 0,
      waiting: sum('queued'), running: sum('running'), dead_letters: this.letters.size, records: this.next - 1,
      records_lost: 0, rules: this.rules.length, generation: this.generation, durable: true, clients: 3 };
  }
}
