// The token of a hub that has users: asked for when the server says 401, kept in this tab only.
import { Cell } from './cell.js';

const KEY = 'atamo.token';
let token = sessionStorage.getItem(KEY) ?? '';
let waiting = [];

/* null, or why a token is asked for. */
export const demand = new Cell(null);
/* The person would not give one, and is not asked again before the page is loaded anew. */
export const declined = new Cell(false);

export const bearer = () => (token ? { Authorization: `Bearer ${token}` } : {});
export const current = () => token;

/* Asks the person. `used` is what the server refused; resolves to false if no token was given. */
export function ask(used, why) {
  if (declined.value) return Promise.resolve(false);
  if (used !== token) return Promise.resolve(true);
  demand.value = why;
  return new Promise((resolve) => waiting.push(resolve));
}

function settle(given) {
  const resolves = waiting;
  waiting = [];
  demand.value = null;
  resolves.forEach((resolve) => resolve(given));
}

export function give(value) {
  token = value.trim();
  sessionStorage.setItem(KEY, token);
  settle(true);
}

export function decline() {
  declined.value = true;
  settle(false);
}
