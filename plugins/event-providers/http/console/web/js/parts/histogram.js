// Latencies by bucket as bars, in SVG: small in a table, or with its marks in a page.
import { html } from '../html.js';
import { count, span } from '../format.js';

/* The buckets that hold something, with those between them. */
function used(buckets) {
  const first = buckets.findIndex((bucket) => bucket.count > 0);
  const last = buckets.findLastIndex((bucket) => bucket.count > 0);
  return first < 0 ? [] : buckets.slice(first, last + 1);
}

export function Histogram({ latency, large = false }) {
  const buckets = used(latency?.buckets ?? []);
  if (!buckets.length) return html`<span class="quiet">no samples</span>`;
  const high = Math.max(...buckets.map((bucket) => bucket.count)), step = 100 / Math.max(buckets.length, large ? 1 : 10);
  const bars = buckets.map((bucket, index) => html`<rect x="${index * step + step * 0.08}%" width="${step * 0.84}%"
    y="${100 - bucket.count / high * 100}%" height="${bucket.count / high * 100}%">
    <title>up to ${span(bucket.le_us)}: ${count(bucket.count)}</title></rect>`);
  if (!large) return html`<svg class="bars" role="img" aria-label="median ${span(latency.p50_us)}">${bars}</svg>`;
  const label = `${count(latency.count)} attempts, median ${span(latency.p50_us)}, 99 % below ${span(latency.p99_us)}`;
  return html`<figure class="histogram"><svg class="bars large" role="img" aria-label=${label}>${bars}</svg>
    <div class="marks" aria-hidden="true">${buckets.map((bucket) => html`<span>${span(bucket.le_us)}</span>`)}</div>
  </figure>`;
}
