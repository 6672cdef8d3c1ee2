// A text with line numbers, and the server's errors at their lines.
import { html, useRef } from '../html.js';

/* Tab leaves the field, as everywhere; indentation is kept by Enter. */
function keepIndentation(event, onInput) {
  if (event.key !== 'Enter' || event.ctrlKey || event.metaKey) return;
  const field = event.target, before = field.value.slice(0, field.selectionStart);
  const indent = before.slice(before.lastIndexOf('\n') + 1).match(/^ */)[0];
  if (!indent) return;
  event.preventDefault();
  field.setRangeText(`\n${indent}`, field.selectionStart, field.selectionEnd, 'end');
  onInput(field.value);
}

export function Editor({ value, onInput, errors = [], readOnly = false, label, rows = 14, onSubmit }) {
  const numbers = useRef(null), field = useRef(null);
  const lines = value.split('\n'), at = new Map(errors.map((error) => [error.line, error]));
  const go = (error) => {
    const start = lines.slice(0, error.line - 1).reduce((sum, line) => sum + line.length + 1, 0) + (error.column ?? 1) - 1;
    field.current.focus();
    field.current.setSelectionRange(start, start);
  };
  const onKeyDown = (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) onSubmit?.();
    else if (!readOnly) keepIndentation(event, onInput);
  };
  return html`<div class="editor ${readOnly ? 'readonly' : ''}">
    <div class="text"><div class="numbers" ref=${numbers} aria-hidden="true">
        ${lines.map((line, index) => html`<div class=${at.has(index + 1) ? 'wrong' : ''}>${index + 1}</div>`)}</div>
      <textarea ref=${field} value=${value} rows=${Math.max(rows, Math.min(lines.length, 40))} spellcheck=${false} autocapitalize="off"
        wrap="off" readOnly=${readOnly} aria-label=${label} aria-invalid=${errors.length > 0} aria-describedby="editor-errors"
        onInput=${(event) => onInput(event.target.value)} onKeyDown=${onKeyDown}
        onScroll=${(event) => { numbers.current.scrollTop = event.target.scrollTop; }} /></div>
    <ul class="errors" id="editor-errors">${errors.map((error) => html`<li>
      <button type="button" class="plain" onClick=${() => go(error)}>line ${error.line}, column ${error.column ?? 1}</button>
      <span>${error.text}</span></li>`)}</ul>
  </div>`;
}
