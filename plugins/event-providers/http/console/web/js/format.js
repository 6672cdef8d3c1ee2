// Numbers and times as people read them. Times come as Unix microseconds.

const counts = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const small = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });
const two = (number) => String(number).padStart(2, '0');

export const count = (number) => (Number.isFinite(number) ? counts.format(number) : '–');
export const short = (number) => (Number.isFinite(number) ? compact.format(number) : '–');

export function rate(number) {
  if (!Number.isFinite(number)) return '–';
  return number < 1000 ? small.format(number) : compact.format(number);
}

/* 850 µs, 12.3 ms, 1.2 s, 2 min 5 s */
export function span(us) {
  if (!Number.isFinite(us)) return '–';
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 1e6) return `${small.format(us / 1000)} ms`;
  if (us < 60e6) return `${small.format(us / 1e6)} s`;
  const minutes = Math.floor(us / 60e6);
  if (minutes < 60) return `${minutes} min ${Math.floor((us % 60e6) / 1e6)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/* 14:03:09.417 */
export function clock(us) {
  const date = new Date(us / 1000);
  const ms = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

/* 2026-03-01 14:03:09 */
export function stamp(us) {
  if (!us) return 'never';
  const date = new Date(us / 1000);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(us).slice(0, 8)}`;
}

export function ago(us) {
  if (!us) return 'never';
  const seconds = Math.max(0, Date.now() / 1000 - us / 1e6);
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;
