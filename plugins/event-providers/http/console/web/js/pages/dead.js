// Dead letters: why, how many, and what is done about them: replay one or many, drop.
import { html, useState } from '../html.js';
import { get } from '../api.js';
import { useLoad } from '../load.js';
import { go, link, refine } from '../router.js';
import { count, plural } from '../format.js';
import { Ago, Empty, Loaded } from '../parts/basics.js';
import { useRowKeys } from '../parts/list.js';
import { DropChosen, ReplayChosen, ReplayMatching } from '../parts/replay.js';

const FILTERS = [['agent', 'Agent'], ['rule', 'Rule'], ['type', 'Event type']];
const PAGE = 100, LONGEST = 2000;

/* As many pages as are wanted. */
async function load(filter, wanted, signal) {
  let letters = [], after;
  do {
    const page = await get('dead-letters', { ...filter, limit: Math.min(PAGE, wanted - letters.length), after }, signal);
    letters = [...letters, ...page.dead_letters];
    after = page.next;
  } while (after && letters.length < wanted);
  return { letters, more: Boolean(after) };
}

function Row({ letter, marked, mark }) {
  return html`<tr tabindex="-1" class=${marked ? 'chosen' : ''}><td><input type="checkbox" checked=${marked} onChange=${mark} aria-label="Mark dead letter ${letter.id}" tabindex="-1" /></td>
    <th scope="row"><a href=${link(['dead', letter.id])}>${letter.id}</a></th><td><${Ago} us=${letter.died_us} /></td>
    <td>${letter.type}</td><td><a href=${link(['message', letter.message])}>${letter.event || letter.message}</a></td>
    <td><a href=${link(['rules', letter.rule])}>${letter.rule}</a></td><td><a href=${link(['agents', letter.agent])}>${letter.agent}</a></td>
    <td class="n">${letter.attempts}</td><td class="said">${letter.reason}${letter.text && html`: <span class="quiet">${letter.text}</span>`}</td></tr>`;
}

function Table({ letters, marked, setMarked }) {
  const flip = (id) => setMarked((old) => {
    const next = new Set(old);
    if (!next.delete(id)) next.add(id);
    return next;
  });
  const keys = useRowKeys((at) => go(['dead', letters[at].id]), (at) => flip(letters[at].id));
  const every = letters.length > 0 && letters.every((letter) => marked.has(letter.id));
  return html`<div class="sheet"><table><thead><tr><th scope="col"><input type="checkbox" checked=${every} aria-label="Mark all that are shown"
      onChange=${() => setMarked(new Set(every ? [] : letters.map((letter) => letter.id)))} /></th>
    <th scope="col">Letter</th><th scope="col">Died</th><th scope="col">Event type</th><th scope="col">Event</th><th scope="col">Rule</th><th scope="col">Agent</th>
    <th scope="col" class="n">Attempts</th><th scope="col">Reason</th></tr></thead>
    <tbody ...${keys}>${letters.map((letter) => html`<${Row} key=${letter.id} letter=${letter} marked=${marked.has(letter.id)} mark=${() => flip(letter.id)} />`)}</tbody></table></div>`;
}

function Filters({ filter }) {
  return html`${FILTERS.map(([name, label], index) => html`<input type="search" data-filter=${index === 0 ? '' : undefined} value=${filter[name] ?? ''}
    placeholder=${label} aria-label="${label}, exactly" onInput=${(event) => refine({ [name]: event.target.value.trim() })} />`)}`;
}

function windowOver(open, close, filter, chosen, reload) {
  const over = () => {
    close();
    reload();
  };
  if (open === 'matching') return html`<${ReplayMatching} filter=${filter} onClose=${over} />`;
  if (open === 'chosen') return html`<${ReplayChosen} letters=${chosen} onClose=${over} />`;
  return open === 'drop' && html`<${DropChosen} letters=${chosen} onClose=${over} />`;
}

export function Dead({ query }) {
  const filter = { agent: query.agent, rule: query.rule, type: query.type };
  const [wanted, setWanted] = useState(PAGE), [marked, setMarked] = useState(new Set()), [open, setOpen] = useState('');
  const state = useLoad((signal) => load(filter, wanted, signal), [query.agent, query.rule, query.type, wanted], open ? 0 : 3000);
  const chosen = (state.data?.letters ?? []).filter((letter) => marked.has(letter.id));
  const filtered = FILTERS.some(([name]) => filter[name]);
  const close = () => {
    setOpen('');
    setMarked(new Set());
  };
  return html`<div class="bar"><h1>Dead letters</h1><${Filters} filter=${filter} /><span class="grow" />
      <button type="button" disabled=${!chosen.length} onClick=${() => setOpen('drop')}>Drop ${chosen.length || ''}…</button>
      <button type="button" disabled=${!chosen.length} onClick=${() => setOpen('chosen')}>Replay ${chosen.length || 'marked'}…</button>
      <button type="button" class="primary" disabled=${!state.data?.letters.length} onClick=${() => setOpen('matching')}>Replay ${filtered ? 'all that match' : 'all'}…</button></div>
    <${Loaded} from=${state}>${({ letters, more }) => html`${letters.length > 0 && html`<${Table} letters=${letters} marked=${marked} setMarked=${setMarked} />`}
      ${!letters.length && html`<${Empty}>${filtered ? 'No dead letter passes the filter.' : 'No dead letters.'}<//>`}
      <p class="hint">${plural(letters.length, 'letter')} shown${marked.size > 0 && `, ${count(chosen.length)} marked`}
        ${more && wanted < LONGEST && html` <button type="button" onClick=${() => setWanted(wanted + PAGE)}>Show more</button>`}</p>`}<//>
    ${windowOver(open, close, filter, chosen, state.reload)}`;
}
