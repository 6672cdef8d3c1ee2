// What happened in each of the last five minutes' seconds: the plots' data.
//
// Counts come from the telemetry until the first /v1/stats is there, from then on from the differences of
// the stats, which miss nothing. Latencies, accepted to finished, come from the telemetry always.

export const WINDOW = 300;
const SAMPLES = 500;
const COUNTERS = ['accepted', 'finished', 'retries', 'dead', 'refused'];
const OF_STEP = { admitted: 'accepted', finished: 'finished', retry: 'retries', dead: 'dead', refused: 'refused' };

export class Series {
  #seconds = new Map();
  #previous = null;
  #since = Infinity;

  #second(second) {
    let found = this.#seconds.get(second);
    if (!found) {
      found = { accepted: 0, finished: 0, retries: 0, dead: 0, refused: 0, latencies: [], seen: 0 };
      this.#seconds.set(second, found);
    }
    return found;
  }

  step(step) {
    const name = OF_STEP[step.step], second = Math.floor(step.t_us / 1e6);
    if (name && second < this.#since) this.#second(second)[name]++;
  }

  /* One of SAMPLES latencies a second is kept, each with the same chance. */
  latency(t_us, us) {
    const second = this.#second(Math.floor(t_us / 1e6)), { latencies } = second;
    const place = second.seen++ < SAMPLES ? latencies.length : Math.floor(Math.random() * second.seen);
    if (place < SAMPLES) latencies[place] = us;
  }

  /* Takes the hub's counters and returns what they make a second, once there are two. */
  stats(stats) {
    const old = this.#previous;
    this.#previous = stats;
    if (!old || stats.t_us <= old.t_us || stats.accepted < old.accepted) return null;
    const passed = (stats.t_us - old.t_us) / 1e6, second = Math.floor(stats.t_us / 1e6) - 1;
    const rates = Object.fromEntries(COUNTERS.map((name) => [name, Math.max(0, stats[name] - old[name]) / passed]));
    Object.assign(this.#second(second), rates);
    this.#since = Math.min(this.#since, second);
    return rates;
  }

  #forget(now) {
    for (const second of this.#seconds.keys()) {
      if (second < now - WINDOW - 5) this.#seconds.delete(second);
    }
  }

  /* {x, and one array a line}, for the seconds that are over. */
  columns(now) {
    this.#forget(now);
    const columns = { x: [], accepted: [], finished: [], retries: [], dead: [], refused: [], p50: [], p99: [] };
    const first = Math.min(...this.#seconds.keys(), now);
    for (let x = Math.max(now - WINDOW, first); x < now; x++) {
      const found = this.#seconds.get(x);
      columns.x.push(x);
      for (const name of COUNTERS) columns[name].push(found ? found[name] : null);
      const sorted = found ? Float64Array.from(found.latencies).sort() : [];
      columns.p50.push(sorted.length ? sorted[Math.floor(sorted.length * 0.5)] / 1000 : null);
      columns.p99.push(sorted.length ? sorted[Math.floor(sorted.length * 0.99)] / 1000 : null);
    }
    return columns;
  }
}
