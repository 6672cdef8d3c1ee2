// One dead letter: why it died, and the steps of its action.
import { html, useState } from '../html.js';
import { get } from '../api.js';
import { useLoad } from '../load.js';
import { go, link } from '../router.js';
import { stamp } from '../format.js';
import { Loaded } from '../parts/basics.js';
import { Chart, Steps } from '../parts/path.js';
import { DropChosen, ReplayChosen } from '../parts/replay.js';

const line = (name, value) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`;

/* The steps of the letter's action, if the hub still knows its message. */
function Past({ letter }) {
  const state = useLoad((signal) => get(`events/${encodeURIComponent(letter.message)}`, {}, signal), [letter.message]);
  return html`<section class="panel"><h2>History</h2><${Loaded} from=${state}>${({ steps }) => {
    const own = steps.filter((step) => step.rule === letter.rule && step.agent === letter.agent);
    return html`<${Chart} steps=${own} /><${Steps} steps=${own} />`;
  }}<//></section>`;
}

function Shown({ letter }) {
  const [open, setOpen] = useState('');
  const over = (place) => (done) => (done ? go(place) : setOpen(''));
  return html`<header class="head"><p class="crumb"><a href="#/dead">Dead letters</a> / letter</p><h1>Dead letter ${letter.id}</h1>
      <dl class="facts-line">${line('Event', html`<a href=${link(['message', letter.message])}>${letter.event || letter.message}</a>`)}
        ${line('Type', html`<a href=${link(['dead'], { type: letter.type })}>${letter.type}</a>`)}
        ${line('Rule', html`<a href=${link(['rules', letter.rule])}>${letter.rule}</a>`)}${line('Agent', html`<a href=${link(['agents', letter.agent])}>${letter.agent}</a>`)}
        ${line('Action', letter.action)}${line('Attempts', letter.attempts)}${line('Died', stamp(letter.died_us))}</dl>
      <p class="note bad"><strong>${letter.reason}</strong> ${letter.text}</p>
      <div class="buttons start"><button type="button" class="primary" onClick=${() => setOpen('replay')}>Replay…</button>
        <button type="button" class="danger" onClick=${() => setOpen('drop')}>Drop…</button>
        <a class="button" href=${link(['dead'], { agent: letter.agent })}>All of ${letter.agent}</a></div></header>
    <${Past} letter=${letter} />
    ${open === 'replay' && html`<${ReplayChosen} letters=${[letter]} onClose=${over(['message', letter.message])} />`}
    ${open === 'drop' && html`<${DropChosen} letters=${[letter]} onClose=${over(['dead'])} />`}`;
}

export function Letter({ id }) {
  const state = useLoad((signal) => get(`dead-letters/${encodeURIComponent(id)}`, {}, signal), [id]);
  return html`<${Loaded} from=${state}>${(letter) => html`<${Shown} letter=${letter} />`}<//>`;
}
