// The filter of the stream: words such as type=order.* agent=mailer, and any other text. The same members
// are the query of the URL.

const NAMES = ['type', 'agent', 'rule', 'user', 'step', 'state', 'message', 'at'];

export function fromText(text) {
  const found = Object.fromEntries(NAMES.map((name) => [name, '']));
  const words = [];
  for (const word of text.match(/[a-z]+="[^"]*"|\S+/g) ?? []) {
    const [, name, value] = word.match(/^([a-z]+)=(.*)$/s) ?? [];
    if (NAMES.includes(name)) found[name] = value.replace(/^"(.*)"$/, '$1');
    else words.push(word);
  }
  return { ...found, text: words.join(' ') };
}

export function toText(query) {
  const words = NAMES.filter((name) => query[name])
    .map((name) => `${name}=${/\s/.test(query[name]) ? `"${query[name]}"` : query[name]}`);
  return [...words, query.text ?? ''].filter(Boolean).join(' ');
}

function glob(pattern) {
  if (!pattern.includes('*')) return (text) => text === pattern;
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const expression = new RegExp(`^${parts.join('.*')}$`);
  return (text) => expression.test(text);
}

function contains(text) {
  const wanted = text.toLowerCase();
  return (m) => [m.type, m.id, m.message, m.user, m.text, m.state, ...m.rules, ...m.agents]
    .some((value) => value.toLowerCase().includes(wanted));
}

/* The function that says whether a folded message passes, or null when nothing is asked. */
export function predicate(query) {
  const tests = [];
  const named = (name, of) => {
    if (!query[name]) return;
    const fits = glob(query[name]);
    tests.push((m) => of(m, fits));
  };
  named('type', (m, fits) => fits(m.type));
  named('agent', (m, fits) => m.agents.some(fits));
  named('rule', (m, fits) => m.rules.some(fits));
  named('user', (m, fits) => fits(m.user));
  named('step', (m, fits) => m.steps.some(fits));
  named('message', (m, fits) => fits(m.message));
  if (query.state === 'failed') tests.push((m) => m.failed !== '' || m.state === 'refused');
  else named('state', (m, fits) => fits(m.state));
  if (query.at) {
    const from = Number(query.at) * 1e6;
    tests.push((m) => m.first < from + 1e6 && m.last >= from);
  }
  if (query.text) tests.push(contains(query.text));
  return tests.length ? (m) => tests.every((test) => test(m)) : null;
}
