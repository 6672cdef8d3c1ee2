// What goes on in the mock's shop: its agents, the events that come in, and how long things take.
//
// Random, from a seed, so that two runs with the same seed differ only in their times.

export function random(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

/* name: plugin, mode, concurrency, typical microseconds, share of attempts that fail */
const AGENTS = {
  mailer: ['smtp', 'pool', 8, 42000, 0.03], review: ['http-call', 'pool', 2, 180000, 0.02],
  warehouse: ['process', 'pool', 4, 9000, 0.01], fraud: ['process', 'pool', 4, 65000, 0.04],
  billing: ['http-call', 'pool', 6, 120000, 0.2], purchasing: ['http-call', 'pool', 1, 140000, 0.72],
  search: ['index', 'inline', 1, 90, 0], report: ['process', 'pool', 1, 900000, 0],
};

export function sampleAgents() {
  const agents = new Map();
  for (const [id, [plugin, mode, concurrency, typical, failing]] of Object.entries(AGENTS)) {
    agents.set(id, { id, plugin, mode, concurrency, typical, failing, state: 'running', breaker: 'closed', queued: 0,
      parked: 0, running: 0, done: 0, retries: 0, dead: 0, shed: 0, attempts: 0, samples: [] });
  }
  agents.get('purchasing').breaker = 'half open';
  return agents;
}

const BUCKETS = Array.from({ length: 18 }, (_, index) => 64 * 2 ** index);

/* An agent as /v1/agents shows it. */
export function agentView({ samples, typical, failing, ...agent }) {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  let low = 0;
  const buckets = BUCKETS.map((le_us) => {
    const count = sorted.filter((us) => us > low && us <= le_us).length;
    low = le_us;
    return { le_us, count };
  });
  return { ...agent, latency: { count: sorted.length, sum_us: sorted.reduce((sum, us) => sum + us, 0),
    p50_us: at(0.5), p90_us: at(0.9), p99_us: at(0.99), buckets } };
}

export function sampleEvent(chance, number) {
  const pick = (list) => list[Math.floor(chance() * list.length)];
  const type = pick(['order.created', 'order.created', 'order.created', 'order.viewed', 'user.signed-up',
    'payment.received', 'stock.low', 'cart.abandoned', 'order.created']);
  const data = { id: `A-${1000 + number}`, customer: pick(['Ines', 'Jun', 'Omar', 'Piotr', 'Zoe', 'Ådne']) };
  if (type.startsWith('order') || type.startsWith('payment')) data.total = Math.round(chance() ** 2 * 120000) / 100;
  if (type === 'stock.low') data.left = Math.floor(chance() * 40);
  return { specversion: '1.0', id: `o-${number}`, source: pick(['shop', 'shop', 'app', 'erp']), type, data };
}

export const FOLLOW_UPS = { review: 'order.confirmed', billing: 'order.paid', purchasing: 'stock.ordered' };
export const FAILURES = ['connection to 10.0.4.17:587 timed out', 'HTTP 503 from https://pay.example/charge',
  'worker ended with status 1', 'HTTP 429: try again later'];
