// Keys in tables: arrows, Home and End move from row to row, Enter opens, Space marks.
import { useRef } from '../html.js';

const MOVES = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };

/* Attributes for a <tbody> whose rows have tabindex; `open(index)` and `mark(index)` are optional. */
export function useRowKeys(open, mark) {
  const body = useRef(null);
  const onKeyDown = (event) => {
    const rows = [...body.current.rows], at = rows.indexOf(event.target);
    if (at < 0) return;
    if (event.key in MOVES) {
      rows[Math.max(0, Math.min(rows.length - 1, at + MOVES[event.key]))]?.focus();
    } else if (event.key === 'Enter' && open) {
      open(at);
    } else if (event.key === ' ' && mark) {
      mark(at);
    } else {
      return;
    }
    event.preventDefault();
  };
  return { ref: body, onKeyDown };
}
