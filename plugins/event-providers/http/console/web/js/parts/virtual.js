// A list of any length of which only the rows in sight are drawn. Rows are equally high.
//
// It is one stop of the Tab key: arrows move the active row, Enter opens it.
import { html, useCallback, useEffect, useLayoutEffect, useRef, useState } from '../html.js';

const SPARE = 6;

function useHeight(ref) {
  const [height, set] = useState(400);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => set(entry.contentRect.height));
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, []);
  return height;
}

/* items, the newest first; key(item); row(item) gives the cells; open(item); onAway(bool): scrolled away from
   the top. */
export function VirtualList({ items, row, keyOf, open, rowHeight, label, head, onAway, classOf }) {
  const box = useRef(null);
  const [top, setTop] = useState(0);
  const [active, setActive] = useState(null);
  const height = useHeight(box);
  const from = Math.max(0, Math.floor(top / rowHeight) - SPARE);
  const to = Math.min(items.length, Math.ceil((top + height) / rowHeight) + SPARE);
  const at = active === null ? -1 : items.findIndex((item) => keyOf(item) === active);

  const scrolled = useCallback(() => setTop(box.current.scrollTop), []);
  const away = top > rowHeight / 2;
  useEffect(() => onAway?.(away), [away]);

  const show = (index) => {
    setActive(keyOf(items[index]));
    const y = index * rowHeight, view = box.current;
    if (y < view.scrollTop) view.scrollTop = y;
    else if (y + rowHeight > view.scrollTop + view.clientHeight) view.scrollTop = y + rowHeight - view.clientHeight;
  };
  const onKeyDown = (event) => {
    const page = Math.max(1, Math.floor(height / rowHeight) - 1);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key === 'Enter' && at >= 0) return open(items[at]);
    if (!(event.key in moves) || !items.length) return;
    event.preventDefault();
    show(Math.max(0, Math.min(items.length - 1, at + moves[event.key])));
  };

  return html`<div class="virtual" role="grid" aria-label=${label} aria-rowcount=${items.length + 1}>
    <div class="row head" role="row" aria-rowindex="1">${head}</div>
    <div ref=${box} class="scroll" role="rowgroup" tabindex="0" onScroll=${scrolled} onKeyDown=${onKeyDown} aria-label="${label}, use the arrow keys"
      aria-activedescendant=${at >= from && at < to ? `row-${active}` : undefined}>
      <div class="extent" style=${{ height: `${items.length * rowHeight}px` }}>
        ${items.slice(from, to).map((item, index) => html`<div key=${keyOf(item)} id="row-${keyOf(item)}" role="row"
          aria-rowindex=${from + index + 2} aria-selected=${keyOf(item) === active}
          class="row ${classOf(item)} ${keyOf(item) === active ? 'active' : ''}"
          style=${{ transform: `translateY(${(from + index) * rowHeight}px)`, height: `${rowHeight}px` }}
          onClick=${() => open(item)}>${row(item)}</div>`)}
      </div>
    </div>
  </div>`;
}
