// All rules: what for, where they are written, and how often they matched.
import { html, useMemo } from '../html.js';
import { get } from '../api.js';
import { useLoad } from '../load.js';
import { go, link, refine } from '../router.js';
import { plural } from '../format.js';
import { Ago, Empty, Loaded, Number as Figure } from '../parts/basics.js';
import { useRowKeys } from '../parts/list.js';

const ORDERS = {
  id: (a, b) => a.id.localeCompare(b.id),
  hits: (a, b) => b.hits - a.hits,
  last: (a, b) => b.last_match_us - a.last_match_us,
};

const where = (rule) => (rule.provider ? `provider ${rule.provider}` : rule.editable ? 'the hub' : `${rule.file}:${rule.line}`);

function Row({ rule }) {
  return html`<tr tabindex="-1"><th scope="row"><a href=${link(['rules', rule.id])}>${rule.id}</a></th>
    <td>${rule.on.map((type) => html`<a class="tag" href=${link(['live'], { type })}>${type}</a>`)}</td>
    <td>${where(rule)}</td>
    <td class="n"><${Figure} of=${rule.hits} href=${link(['live'], { rule: rule.id })} /></td>
    <td><${Ago} us=${rule.last_match_us} /></td></tr>`;
}

function Table({ rules, order }) {
  const keys = useRowKeys((at) => go(['rules', rules[at].id]));
  const head = (key, label, className = '') => html`<th scope="col" class=${className} aria-sort=${order === key ? (key === 'id' ? 'ascending' : 'descending') : undefined}>
    <button type="button" class="sort" onClick=${() => refine({ sort: key === 'id' ? '' : key })}>${label}</button></th>`;
  return html`<div class="sheet"><table><thead><tr>${head('id', 'Rule')}<th scope="col">Events</th><th scope="col">Written in</th>
    ${head('hits', 'Hits', 'n')}${head('last', 'Last match')}</tr></thead>
    <tbody ...${keys}>${rules.map((rule) => html`<${Row} key=${rule.id} rule=${rule} />`)}</tbody></table></div>`;
}

function List({ data, query }) {
  const order = ORDERS[query.sort] ? query.sort : 'id', wanted = (query.text ?? '').toLowerCase();
  const rules = useMemo(() => data.rules
    .filter((rule) => [rule.id, ...rule.on, where(rule)].some((text) => text.toLowerCase().includes(wanted)))
    .sort(ORDERS[order]), [data, order, wanted]);
  return html`<${Table} rules=${rules} order=${order} />
    ${!rules.length && html`<${Empty}>${data.rules.length ? 'No rule passes the filter.' : 'This hub has no rules.'}<//>`}
    <p class="hint">${plural(data.rules.length, 'rule')}, generation ${data.generation}</p>`;
}

export function Rules({ query }) {
  const state = useLoad((signal) => get('rules', {}, signal), [], 3000);
  return html`<div class="bar"><h1>Rules</h1>
      <input type="search" data-filter value=${query.text ?? ''} onInput=${(event) => refine({ text: event.target.value })}
        placeholder="Rule, event type or file" aria-label="Filter rules" />
      <span class="grow" /><a class="button" href="#/new-rule">New rule</a></div>
    <${Loaded} from=${state}>${(data) => html`<${List} data=${data} query=${query} />`}<//>`;
}
