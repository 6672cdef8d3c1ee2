// Light, dark, or as the system says. The choice is this browser's; the colours are in base.css.
import { Cell } from './cell.js';

const KEY = 'atamo.theme', ORDER = ['system', 'light', 'dark'];

export const theme = new Cell(ORDER.includes(localStorage.getItem(KEY)) ? localStorage.getItem(KEY) : 'system');

/* Counts up when colours have changed, for what draws on a canvas. */
export const colours = new Cell(0);

function apply() {
  document.documentElement.dataset.theme = theme.value;
  colours.value++;
}

apply();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', apply);

export function nextTheme() {
  theme.value = ORDER[(ORDER.indexOf(theme.value) + 1) % ORDER.length];
  localStorage.setItem(KEY, theme.value);
  apply();
}
