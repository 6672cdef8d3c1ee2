// The mock's dead letters: listed by filter and page, replayed at a rate.

const FILTERS = ['agent', 'rule', 'type'];

function matching(hub, url) {
  return [...hub.letters.values()].filter((letter) =>
    FILTERS.every((name) => !url.searchParams.get(name) || letter[name] === url.searchParams.get(name)));
}

export function list(hub, url) {
  const limit = Number(url.searchParams.get('limit') ?? 100), after = Number(url.searchParams.get('after') ?? 0);
  const all = matching(hub, url).filter((letter) => Number(letter.id) > after), page = all.slice(0, limit);
  return { body: { dead_letters: page, next: all.length > limit ? page.at(-1).id : null } };
}

export function replayMany(hub, url) {
  const letters = matching(hub, url), rate = Number(url.searchParams.get('rate') ?? 10);
  if (url.searchParams.get('dry_run') !== 'true') {
    letters.forEach((letter, index) => setTimeout(() => hub.replay(letter), index * 1000 / rate).unref());
  }
  return { body: { count: letters.length } };
}
