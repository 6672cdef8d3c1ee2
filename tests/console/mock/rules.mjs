// The mock's rules: sample ones, a check that is as strict as the tests need, and their evaluation.
//
// No YAML is parsed here: a rule is read line by line, and its condition is one comparison of a number.

const source = (id, on, agent, action, when) => [
  `id: ${id}`, `on: ${on}`, ...(when ? [`when: {data: {${when[0]}: [{numeric: ["${when[1]}", ${when[2]}]}]}}`] : []),
  'then:', `  - {agent: ${agent}, action: ${action}, with: {text: "\${data.id}"}}`, ''].join('\n');

const SAMPLES = [
  ['confirm-order', 'order.created', 'mailer', 'confirm', null, 'shop.yaml', 12],
  ['big-orders', 'order.created', 'review', 'look', ['total', '>=', 900]],
  ['reserve-stock', 'order.created', 'warehouse', 'reserve', null, 'shop.yaml', 31],
  ['fraud-score', 'order.created', 'fraud', 'score', ['total', '>=', 200]],
  ['charge', 'order.confirmed', 'billing', 'charge', null, 'shop.yaml', 44],
  ['receipt', 'payment.*', 'mailer', 'receipt'],
  ['ship', 'order.paid', 'warehouse', 'ship', null, 'shop.yaml', 58],
  ['refill', 'stock.low', 'purchasing', 'order-more', ['left', '<', 20]],
  ['index-everything', 'order.*', 'search', 'index'],
  ['welcome', 'user.signed-up', 'mailer', 'welcome'],
  ['nightly-report', 'timer.midnight', 'report', 'build', null, 'shop.yaml', 80],
];

export function sampleRules(now) {
  return SAMPLES.map(([id, on, agent, action, when, file, line]) => {
    const text = source(id, on, agent, action, when);
    const rule = { ...parse(text).rule, id, provider: '', file: file ?? '', line: line ?? 0, editable: !file,
      hits: 0, last_match_us: 0, versions: [] };
    if (!file) {
      rule.versions.push({ version: 1, t_us: now - 6 * 86400e6, user: 'ada', why: 'first version',
        source: text.replace(/numeric: .*?\]/, 'numeric: [">=", 50]'), deleted: false });
      rule.versions.push({ version: 2, t_us: now - 2 * 86400e6, user: 'grace', why: 'too many small ones',
        source: text, deleted: false });
    }
    return rule;
  });
}

/* {rule} or {errors}: keys that are known, an agent that exists, no tabs. */
export function parse(text, agents) {
  const errors = [], rule = { source: text, on: [], when: null };
  text.split('\n').forEach((line, index) => {
    const at = (column, why) => errors.push({ line: index + 1, column, text: why });
    if (line.includes('\t')) at(line.indexOf('\t') + 1, 'a tab cannot be part of the indentation');
    const [, key, value] = line.match(/^([\w-]+):\s*(.*)$/) ?? [];
    if (key && !['id', 'on', 'when', 'then', 'description'].includes(key)) {
      at(1, `"${key}" is not known here; expected id, on, when, then`);
    }
    if (key === 'id') rule.id = value;
    if (key === 'on') rule.on = value.replace(/[[\]"]/g, '').split(',').map((type) => type.trim());
    const numeric = line.match(/data: \{([\w.]+): \[\{numeric: \["([<>=]+)", ([\d.]+)\]/);
    if (numeric) rule.when = { field: numeric[1], operator: numeric[2], value: Number(numeric[3]) };
    const agent = line.match(/agent: ([\w-]+)/);
    if (agent) {
      rule.agent = agent[1];
      rule.action = line.match(/action: ([\w-]+)/)?.[1] ?? 'act';
      if (agents && !agents.has(agent[1])) at(agent.index + 8, `there is no agent "${agent[1]}"`);
    }
  });
  const end = { line: text.trimEnd().split('\n').length, column: 1 };
  if (!rule.on.length) errors.push({ ...end, text: 'a rule needs "on": the types of events that it is for' });
  if (!rule.agent) errors.push({ ...end, text: 'a rule needs "then": what is done' });
  return errors.length ? { errors } : { rule };
}

function compare(left, operator, right) {
  if (operator === '<') return left < right;
  if (operator === '<=') return left <= right;
  return operator === '>' ? left > right : left >= right;
}

/* {id, matched, reason}, in words like those of the hub. */
export function evaluate(rule, event) {
  const fits = rule.on.some((type) =>
    new RegExp(`^${type.replace(/[.]/g, '\\.').replace(/\*/g, '.*')}$`).test(event.type));
  if (!fits) return { id: rule.id, matched: false, reason: `type ${event.type} is not ${rule.on.join(' or ')}` };
  if (!rule.when) return { id: rule.id, matched: true, reason: 'matched' };
  const { field, operator, value } = rule.when, found = event.data?.[field];
  if (typeof found !== 'number') {
    return { id: rule.id, matched: false, reason: `data.${field} is missing` };
  }
  const matched = compare(found, operator, value);
  return { id: rule.id, matched,
    reason: matched ? 'matched' : `data.${field} is ${found}, expected numeric ${operator} ${value}` };
}
