// Keys that work on every page. They do nothing while somebody types.
import { go } from './router.js';

export const KEYS = [
  ['/', 'to the filter'],
  ['p', 'stop and go on with the stream'],
  ['n', 'post an event'],
  ['g l', 'Live'], ['g r', 'Rules'], ['g a', 'Agents'], ['g d', 'Dead letters'],
  ['Arrows, Home, End', 'move in a list'],
  ['Enter', 'open what is chosen'],
  ['Space', 'mark a dead letter'],
  ['Ctrl Enter', 'post, test or save what is in the editor'],
  ['Escape', 'close a window, leave the filter'],
  ['?', 'this list'],
];

const PLACES = { l: ['live'], r: ['rules'], a: ['agents'], d: ['dead'] };
let led = 0;

const typing = (target) => target.closest?.('input, textarea, select, dialog') !== null;

function press(event, help) {
  if (event.ctrlKey || event.metaKey || event.altKey) return false;
  if (event.key === 'Escape' && event.target.matches?.('[data-filter]')) event.target.blur();
  if (typing(event.target)) return false;
  const after = performance.now() - led < 1500;
  led = event.key === 'g' ? performance.now() : 0;
  if (after && PLACES[event.key]) go(PLACES[event.key]);
  else if (event.key === '/') document.querySelector('[data-filter]')?.focus();
  else if (event.key === '?') help();
  else if (event.key === 'n') go(['submit']);
  else if (event.key === 'p') document.querySelector('[data-pause]')?.click();
  else return false;
  return true;
}

/* Returns the function that ends it. */
export function listen(help) {
  const heard = (event) => {
    if (press(event, help)) event.preventDefault();
  };
  addEventListener('keydown', heard);
  return () => removeEventListener('keydown', heard);
}
