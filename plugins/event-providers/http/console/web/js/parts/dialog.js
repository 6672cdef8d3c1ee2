// A modal window on the browser's own <dialog>: it keeps the focus, and Escape closes it.
import { html, useEffect, useRef } from '../html.js';

export function Dialog({ title, onClose, children, wide }) {
  const ref = useRef(null);
  useEffect(() => {
    const from = document.activeElement;
    ref.current.showModal();
    ref.current.querySelector('[data-first]')?.focus();
    return () => from?.focus?.();
  }, []);
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  return html`<dialog ref=${ref} class=${wide ? 'wide' : ''} aria-labelledby="dialog-title" onCancel=${cancel}>
    <header><h2 id="dialog-title">${title}</h2>
      <button type="button" class="plain" onClick=${onClose} aria-label="Close">Close</button></header>
    ${children}
  </dialog>`;
}
