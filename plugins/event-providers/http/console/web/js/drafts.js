// The events that were posted from this tab: the hub need not keep what an event held.
const KEY = 'atamo.posted', LIMIT = 20;

/* [{message, id, type, text, t_us}], newest first */
export function posted() {
  return JSON.parse(sessionStorage.getItem(KEY) ?? '[]');
}

export function keep(draft) {
  sessionStorage.setItem(KEY, JSON.stringify([draft, ...posted()].slice(0, LIMIT)));
}
