// Asks for a token when the hub wants to know who is there.
import { html } from '../html.js';
import { decline, give } from '../session.js';
import { Dialog } from './dialog.js';
import { Field } from './basics.js';

export function Token({ why }) {
  const submit = (event) => {
    event.preventDefault();
    give(event.target.elements.token.value);
  };
  return html`<${Dialog} title="This hub has users" onClose=${decline}>
    <form onSubmit=${submit}>
      <p role="alert">The hub says: ${why}</p>
      <${Field} label="Token" hint="Kept in this tab until it is closed.">
        <input name="token" type="password" required autocomplete="off" data-first /><//>
      <div class="buttons"><button class="primary">Continue</button></div>
    </form><//>`;
}
