// The difference of two texts, line by line: the shortest way from one to the other.

/* lengths[i][j]: of the longest common part of the lines from i and from j on. */
function lengths(a, b) {
  const table = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
    }
  }
  return table;
}

/* [{kind: 'same' | 'added' | 'removed', text, old, now}], with line numbers. */
export function difference(before, after) {
  const lines = (text) => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));
  const a = lines(before), b = lines(after), table = lengths(a, b), found = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) found.push({ kind: 'same', text: a[i], old: ++i, now: ++j });
    else if (i < a.length && (j === b.length || table[i + 1][j] >= table[i][j + 1])) found.push({ kind: 'removed', text: a[i], old: ++i });
    else found.push({ kind: 'added', text: b[j], now: ++j });
  }
  return found;
}
