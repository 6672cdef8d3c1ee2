// The versions of a rule, newest first, what each changed, and the way back.
import { html, useState } from '../html.js';
import { get, send } from '../api.js';
import { useAction, useLoad } from '../load.js';
import { stamp } from '../format.js';
import { Empty, Loaded, Problem } from './basics.js';
import { Dialog } from './dialog.js';
import { Diff } from './diff.js';

const path = (id) => `rules/${encodeURIComponent(id)}`;

function RollBack({ id, version, source, onClose, onBack }) {
  const [busy, problem, run] = useAction();
  const back = async () => {
    if (await run(() => send('POST', `${path(id)}:rollback`, { query: { version: version.version } }))) onBack(version.version);
  };
  return html`<${Dialog} title="Back to version ${version.version}?" onClose=${onClose} wide>
    <p>The rule becomes as it was; the history keeps every version.</p><${Diff} before=${source} after=${version.source} /><${Problem} of=${problem} />
    <div class="buttons"><button type="button" onClick=${onClose} data-first>Keep</button>
      <button type="button" class="primary" disabled=${busy} onClick=${back}>Roll back</button></div><//>`;
}

function Version({ version, previous, now, editable, onBack }) {
  return html`<details class="version" open=${now}><summary><strong>Version ${version.version}</strong>
      <span>${stamp(version.t_us)}</span><span>${version.user}</span><span class="why">${version.deleted ? 'deleted' : version.why}</span>
      ${now ? html`<span class="state good">runs</span>` : ''}</summary>
    <${Diff} before=${previous?.source ?? ''} after=${version.source ?? ''} />
    ${editable && !now && !version.deleted && html`<div class="buttons"><button type="button" onClick=${onBack}>Roll back to version ${version.version}…</button></div>`}
  </details>`;
}

export function History({ id, source, editable, onBack }) {
  const state = useLoad((signal) => get(`${path(id)}/versions`, {}, signal), [id, source]);
  const [chosen, choose] = useState(null);
  return html`<${Loaded} from=${state}>${({ versions }) => {
    const list = [...versions].sort((a, b) => a.version - b.version), newest = list.at(-1);
    return html`${!list.length && html`<${Empty}>No version is kept: the rule was never changed here.<//>`}
      ${list.map((version, index) => html`<${Version} key=${version.version} version=${version} previous=${list[index - 1]} now=${version === newest}
        editable=${editable} onBack=${() => choose(version)} />`).reverse()}
      ${chosen && html`<${RollBack} id=${id} version=${chosen} source=${source} onClose=${() => choose(null)} onBack=${onBack} />`}`;
  }}<//>`;
}
