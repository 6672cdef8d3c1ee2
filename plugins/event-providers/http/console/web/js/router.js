// Every view is a URL: #/rules/big-orders?tab=test is path ['rules', 'big-orders'], query {tab: 'test'}.
import { Cell } from './cell.js';

function parse(hash) {
  const [path, query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const decode = (part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  };
  return { path: path.split('/').filter(Boolean).map(decode), query: Object.fromEntries(new URLSearchParams(query)) };
}

export const route = new Cell(parse(location.hash));
addEventListener('hashchange', () => {
  route.value = parse(location.hash);
});

/* link(['rules', id], {tab: 'test'}): what a href needs. Empty members of the query are left out. */
export function link(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const text = new URLSearchParams(given).toString();
  return `#/${path.map(encodeURIComponent).join('/')}${text ? `?${text}` : ''}`;
}

export function go(path, query) {
  location.hash = link(path, query);
}

/* Changes some of the query and stays on the page; no entry in the browser's history. */
export function refine(changes) {
  const { path, query } = route.value;
  history.replaceState(null, '', link(path, { ...query, ...changes }));
  route.value = parse(location.hash);
}
