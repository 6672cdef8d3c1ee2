// Telemetry records folded into messages: what a line of the list shows.

const ENDS = new Set(['dead', 'shed', 'expired', 'cancelled']);

export function begin(step) {
  return { message: step.message, id: '', type: '', user: '', cause: '', state: 'in flight', first: step.t_us,
    last: step.t_us, finished: 0, matched: null, actions: 0, attempts: 0, retries: 0, failed: '', text: '', rules: [],
    agents: [], steps: [] };
}

const once = (list, name) => {
  if (name && !list.includes(name)) list.push(name);
};

function close(m, t) {
  m.finished = t;
  if (m.failed) m.state = m.failed;
  else m.state = m.matched === 0 ? 'unmatched' : 'done';
}

const FOLDS = {
  admitted(m, step) {
    Object.assign(m, { id: step.id ?? m.id, type: step.type ?? m.type, user: step.user ?? m.user,
      cause: step.cause ?? m.cause, first: step.t_us });
  },
  refused(m, step) {
    Object.assign(m, { type: step.type ?? m.type, state: 'refused', text: step.text ?? step.reason ?? '' });
  },
  evaluated(m, step) {
    m.matched = step.rules;
    m.actions = step.actions ?? m.actions;
  },
  'rule-failed': (m, step) => Object.assign(m, { failed: m.failed || 'failed', text: step.text ?? step.reason ?? '' }),
  attempt: (m) => m.attempts++,
  retry(m, step) {
    m.retries++;
    m.text = step.text ?? step.reason ?? '';
  },
  replayed: (m) => Object.assign(m, { failed: '', state: 'in flight', finished: 0 }),
  finished: (m, step) => close(m, step.t_us),
  recovered: (m, step) => Object.assign(m, { type: step.type ?? m.type }),
};

/* Takes one record of the message into account. */
export function fold(m, step) {
  m.first = Math.min(m.first, step.t_us);
  m.last = Math.max(m.last, step.t_us);
  once(m.rules, step.rule);
  once(m.agents, step.agent);
  once(m.steps, step.step);
  if (ENDS.has(step.step)) {
    m.failed = m.state = step.step;
    m.text = step.text ?? step.reason ?? '';
  }
  FOLDS[step.step]?.(m, step);
}

/* Green, blue, amber, red or grey. */
export function tone(state) {
  if (state === 'done' || state === 'finished' || state === 'running' || state === 'closed') return 'good';
  if (state === 'in flight' || state === 'open' || state === 'active') return 'busy';
  if (state === 'retry' || state === 'waiting' || state === 'paused' || state === 'half open' || state === 'cancelled') return 'warn';
  if (['dead', 'refused', 'shed', 'expired', 'failed', 'timeout', 'fail'].includes(state)) return 'bad';
  return 'quiet';
}
