// The frame around every page: navigation, the state of the connection, and windows that any page may need.
import { html, useEffect, useRef, useState } from './html.js';
import { useCell } from './cell.js';
import { go, link, route } from './router.js';
import { connection, stats, statsProblem } from './feed.js';
import { declined, demand } from './session.js';
import { announcement } from './announce.js';
import { nextTheme, theme } from './theme.js';
import { KEYS, listen } from './keys.js';
import { short } from './format.js';
import { Dialog } from './parts/dialog.js';
import { Token } from './parts/token.js';
import { Empty } from './parts/basics.js';
import { Live } from './pages/live.js';
import { Message } from './pages/message.js';
import { Rules } from './pages/rules.js';
import { NewRule, Rule } from './pages/rule.js';
import { Agents } from './pages/agents.js';
import { Dead } from './pages/dead.js';
import { Letter } from './pages/letter.js';
import { Submit } from './pages/submit.js';

const PLACES = [['live', 'Live'], ['rules', 'Rules'], ['agents', 'Agents'], ['dead', 'Dead letters']];

/* [title, which place of the navigation, component, its properties] */
function page({ path: [place = 'live', name], query }) {
  if (place === 'live') return ['Live', 'live', Live, { query }];
  if (place === 'message' && name) return [`Message ${name}`, 'live', Message, { id: name }];
  if (place === 'rules' && name) return [`Rule ${name}`, 'rules', Rule, { id: name, query }];
  if (place === 'rules') return ['Rules', 'rules', Rules, { query }];
  if (place === 'new-rule') return ['New rule', 'rules', NewRule, {}];
  if (place === 'agents') return [name ? `Agent ${name}` : 'Agents', 'agents', Agents, { chosen: name, query }];
  if (place === 'dead' && name) return [`Dead letter ${name}`, 'dead', Letter, { id: name }];
  if (place === 'dead') return ['Dead letters', 'dead', Dead, { query }];
  if (place === 'submit') return ['Post an event', 'submit', Submit, {}];
  return ['No such page', '', () => html`<h1>No such page</h1><${Empty}>Nothing is at this address.<//>`, {}];
}

function Connection() {
  const state = useCell(connection), problem = useCell(statsProblem), refused = useCell(declined);
  if (refused) return html`<button type="button" onClick=${() => location.reload()}>Sign in</button>`;
  const broken = typeof state === 'object' ? state : problem;
  const [kind, text] = broken ? ['bad', broken.title] : state === 'open' ? ['good', 'Connected'] : ['warn', 'Connecting'];
  return html`<span class="state ${kind} connection" role="status" title=${broken?.detail || text}>
    <span class="dot" aria-hidden="true" />${text}</span>`;
}

function FindMessage() {
  const find = (event) => {
    event.preventDefault();
    const field = event.target.elements.id;
    if (field.value.trim()) go(['message', field.value.trim()]);
    field.value = '';
  };
  return html`<form class="find" role="search" onSubmit=${find}>
    <input name="id" type="search" placeholder="Event or message id" aria-label="Open a message by its id" autocomplete="off" /></form>`;
}

function Header({ place, help }) {
  const letters = useCell(stats)?.dead_letters, chosen = useCell(theme);
  return html`<header class="top">
    <a class="brand" href="#/live"><img src="icon.svg" alt="" width="22" height="22" />Atamo</a>
    <nav aria-label="Pages">${PLACES.map(([key, title]) => html`<a href=${link([key])} aria-current=${key === place ? 'page' : undefined}>
      ${title}${key === 'dead' && letters > 0 && html`<span class="count">${short(letters)}</span>`}</a>`)}</nav>
    <${FindMessage} />
    <${Connection} />
    <a class="button primary" href="#/submit" aria-current=${place === 'submit' ? 'page' : undefined}>Post event</a>
    <button type="button" class="plain" onClick=${nextTheme} title="Colours: ${chosen}">
      <span class="unseen">Colours: </span>${{ system: 'Auto', light: 'Light', dark: 'Dark' }[chosen]}</button>
    <button type="button" class="plain" onClick=${help} aria-label="Keys">?</button>
  </header>`;
}

const Help = ({ onClose }) => html`<${Dialog} title="Keys" onClose=${onClose}>
  <dl class="keys">${KEYS.map(([keys, what]) => html`<div><dt>${keys.split(', ').length > 1 ? keys : keys.split(' ').map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${what}</dd></div>`)}</dl>
<//>`;

/* The page's heading has the focus after each change of page, so that reading goes on there. */
function usePageFocus(title, main) {
  const first = useRef(true);
  useEffect(() => {
    document.title = `${title} – Atamo`;
    if (!first.current) main.current.focus({ preventScroll: true });
    first.current = false;
    scrollTo(0, 0);
  }, [title]);
}

export function App() {
  const here = useCell(route), why = useCell(demand), word = useCell(announcement);
  const [help, setHelp] = useState(false), main = useRef(null);
  const [title, place, Page, properties] = page(here);
  useEffect(() => listen(() => setHelp(true)), []);
  usePageFocus(title, main);
  const skip = (event) => {
    event.preventDefault();
    main.current.focus();
  };
  return html`<a class="skip" href="#main" onClick=${skip}>To the content</a>
    <${Header} place=${place} help=${() => setHelp(true)} />
    <main id="main" ref=${main} tabindex="-1" class="page-${place || 'none'}"><${Page} key=${title} ...${properties} /></main>
    <div class="toast" role="status">${word && html`<p>${word}</p>`}</div>
    ${help && html`<${Help} onClose=${() => setHelp(false)} />`}
    ${why !== null && html`<${Token} why=${why} />`}`;
}
