// A short word about what has just happened, shown for some seconds and read out by screen readers.
import { Cell } from './cell.js';

const SHOWN_MS = 6000;
let timer;

export const announcement = new Cell('');

export function say(text) {
  announcement.value = text;
  clearTimeout(timer);
  timer = setTimeout(() => {
    announcement.value = '';
  }, SHOWN_MS);
}
