// Shows what has changed between two texts.
import { html } from '../html.js';
import { difference } from '../diff.js';
import { Empty } from './basics.js';

const SIGNS = { same: ' ', added: '+', removed: '-' };
const WORDS = { same: '', added: 'added: ', removed: 'removed: ' };

export function Diff({ before, after }) {
  const lines = difference(before, after);
  if (lines.every((line) => line.kind === 'same')) return html`<${Empty}>No difference.<//>`;
  return html`<div class="diff" tabindex="0" role="region" aria-label="Difference">${lines.map((line) => html`<div class=${line.kind}>
    <span class="no">${line.old ?? ''}</span><span class="no">${line.now ?? ''}</span>
    <span class="sign" aria-hidden="true">${SIGNS[line.kind]}</span><span class="unseen">${WORDS[line.kind]}</span><code>${line.text}</code></div>`)}</div>`;
}
