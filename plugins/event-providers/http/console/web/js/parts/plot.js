// A plot over time: uPlot in a box, its title, and a legend of our own with the last or pointed-at values.
import uPlot from '../../vendor/uplot.js';
import { html, useEffect, useRef, useState } from '../html.js';
import { useCell } from '../cell.js';
import { colours } from '../theme.js';

const HEIGHT = 132;

/* The colour that a custom property stands for now; a canvas knows none of these. */
function colour(box, name) {
  box.style.color = `var(--${name})`;
  const found = getComputedStyle(box).color;
  box.style.color = '';
  return found;
}

function options(box, lines, axis, onIndex, onPick) {
  const grid = colour(box, 'line'), text = colour(box, 'muted');
  const font = '11px system-ui, sans-serif';
  const common = { stroke: text, font, grid: { stroke: grid, width: 1 }, ticks: { show: false } };
  return {
    width: box.clientWidth, height: HEIGHT, padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, sync: { key: 'live' }, drag: { x: false, y: false }, points: { size: 6 } },
    scales: { y: { range: (plot, low, high) => [0, Math.max(high || 0, 1) * 1.12] } },
    axes: [{ ...common, size: 24, space: 64, values: '{HH}:{mm}:{ss}' },
      { ...common, size: 44, space: 28, values: (plot, values) => values.map((value) => axis(value)) }],
    series: [{}, ...lines.map((line) => ({ label: line.label, stroke: colour(box, line.colour), width: 1.5,
      fill: line.fill ? colour(box, `${line.colour}-soft`) : undefined, points: { show: false }, spanGaps: true }))],
    hooks: {
      setCursor: [(plot) => onIndex(plot.cursor.idx)],
      ready: [(plot) => plot.over.addEventListener('click', () => {
        if (plot.cursor.idx !== null) onPick?.(plot.data[0][plot.cursor.idx]);
      })],
    },
  };
}

/* lines: [{key, label, colour, href, fill}]; columns: {x, [key]: values}. */
export function Plot({ title, unit, lines, columns, format, onPick }) {
  const box = useRef(null), plot = useRef(null);
  const [index, setIndex] = useState(null);
  const colouring = useCell(colours);
  const data = [columns.x, ...lines.map((line) => columns[line.key])];

  useEffect(() => {
    const place = box.current, drawn = new uPlot(options(place, lines, format, setIndex, onPick), data, place);
    const observer = new ResizeObserver(() => place.clientWidth && drawn.setSize({ width: place.clientWidth, height: HEIGHT }));
    observer.observe(place);
    plot.current = drawn;
    return () => {
      observer.disconnect();
      drawn.destroy();
    };
  }, [colouring]);
  useEffect(() => plot.current.setData(data), [columns]);

  const value = (line) => {
    const values = columns[line.key];
    const place = index ?? values.findLastIndex((each) => each !== null);
    return values[place] ?? NaN;
  };
  return html`<figure class="plot">
    <figcaption><span class="title">${title}</span>
      ${lines.map((line) => html`<a class="series" href=${line.href}>
        <span class="swatch ${line.colour}" aria-hidden="true" />${line.label}
        <span class="number">${format(value(line))}</span></a>`)}
      <span class="unit">${unit}</span></figcaption>
    <div class="canvas" ref=${box} role="img" aria-label="${title}: the last five minutes" />
  </figure>`;
}
