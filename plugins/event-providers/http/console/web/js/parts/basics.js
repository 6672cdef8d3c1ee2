// Small parts of every page: states, times, numbers that are links, problems, empty places.
import { html, useEffect, useState } from '../html.js';
import { ago, clock, count, stamp } from '../format.js';
import { tone } from '../fold.js';

export const State = ({ of, children }) =>
  html`<span class="state ${tone(of)}"><span class="dot" aria-hidden="true" />${children ?? of}</span>`;

export const Time = ({ us }) => (us ? html`<time title=${stamp(us)} datetime=${new Date(us / 1000).toISOString()}>${clock(us)}</time>` : 'never');

/* How long ago, kept up to date. */
export function Ago({ us }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((old) => old + 1), 5000);
    return () => clearInterval(timer);
  }, []);
  return us ? html`<time title=${stamp(us)} datetime=${new Date(us / 1000).toISOString()}>${ago(us)}</time>` : html`<span class="quiet">never</span>`;
}

/* A number, one click from what it counts. Nothing to see behind zero. */
export const Number = ({ of, href, format = count, bad }) => (of && href
  ? html`<a class="number ${bad ? 'bad' : ''}" href=${href}>${format(of)}</a>`
  : html`<span class="number ${of ? '' : 'quiet'}">${format(of)}</span>`);

export const Empty = ({ children }) => html`<p class="empty">${children}</p>`;

/* As the server says it, with its lines. */
export function Problem({ of }) {
  if (!of) return null;
  const head = [of.status || '', of.title ?? 'Failed'].filter(Boolean).join(' ');
  return html`<div class="problem" role="alert">
    <strong>${head}</strong> <span>${of.detail && of.detail !== of.title ? of.detail : of.title ? '' : of.message}</span>
    ${of.retryAfter && html`<span> Try again in ${of.retryAfter} s.</span>`}
    ${of.errors?.length > 0 && html`<ul>${of.errors.map((error) => html`<li>
      ${error.line && html`<span class="where">${error.line}:${error.column ?? 1}</span>`} ${error.text}</li>`)}</ul>`}
    ${of.events?.length > 0 && html`<ul>${of.events.map((event, index) => html`<li>
      <span class="where">event ${index + 1}</span> ${event.detail ?? `accepted as ${event.id}`}</li>`)}</ul>`}
  </div>`;
}

/* What a loading page shows: its problem, or that it is loading, or what `children` makes of the data. */
export function Loaded({ from, children }) {
  return html`<${Problem} of=${from.problem} />
    ${from.data ? children(from.data) : !from.problem && html`<${Empty}>Loading…<//>`}`;
}

export const Field = ({ label, children, hint }) => html`<label class="field"><span class="label">${label}</span>${children}
  ${hint && html`<span class="hint">${hint}</span>`}</label>`;

/* Tabs whose choice is in the URL. */
export const Tabs = ({ names, current, href }) => html`<nav class="tabs" aria-label="Views">
  ${names.map(([key, label]) => html`<a href=${href(key)} aria-current=${key === current ? 'page' : undefined}>${label}</a>`)}
</nav>`;
