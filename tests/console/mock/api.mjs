// The mock's answers: one function a route. Everything that is wrong is a problem, as the contract says.
import { evaluate, parse } from './rules.mjs';
import { agentView } from './world.mjs';
import { telemetry } from './telemetry.mjs';
import * as letters from './letters.mjs';

const TITLES = { 400: 'Bad Request', 401: 'Unauthorized', 404: 'Not Found', 409: 'Conflict', 412: 'Precondition Failed',
  415: 'Unsupported Media Type', 422: 'Unprocessable Content', 504: 'Gateway Timeout' };

export class Wrong extends Error {
  constructor(status, detail, members = {}) {
    super(detail);
    Object.assign(this, { status, members });
  }
}

const problem = (status, detail, members) =>
  ({ status, type: 'application/problem+json', body: { type: 'about:blank', title: TITLES[status], status, detail, ...members } });

const known = (found, what) => found ?? (() => { throw new Wrong(404, `no ${what}`); })();
const message = ({ hub }, id) => known(hub.messages.get(id) ?? hub.messages.get(hub.ids.get(id)), `event "${id}"`);
const rule = ({ hub }, id) => known(hub.rules.find((each) => each.id === id), `rule "${id}"`);
const ruleView = ({ id, on, provider, file, line, editable, hits, last_match_us }) =>
  ({ id, on, provider, file, line, editable, hits, last_match_us });
const etag = ({ versions, id }) => `"${id}-${versions.length}"`;

function json(text) {
  try {
    return JSON.parse(text);
  } catch (wrong) {
    const offset = Number(wrong.message.match(/position (\d+)/)?.[1] ?? text.length), before = text.slice(0, offset).split('\n');
    throw new Wrong(400, 'the body is not JSON',
      { errors: [{ line: before.length, column: before.at(-1).length + 1, text: wrong.message }] });
  }
}

function accept({ hub }, event) {
  if (!event?.type) throw new Wrong(422, 'the event has no type', { errors: [{ line: 1, column: 1, text: 'required: type' }] });
  const { refused, ...posted } = hub.post({ ...event, id: event.id ?? `c-${Date.now()}` }, { user: 'console' });
  if (refused) throw new Wrong(422, refused);
  return { ...posted, durability: 'synced', status_url: `/v1/events/${posted.message}` };
}

function post(mock, { text, headers }) {
  const body = json(text);
  if (!headers['content-type'].includes('batch')) return { status: 202, body: accept(mock, body) };
  return { status: 202, body: { events: body.map((event) => accept(mock, event)) } };
}

function why(mock, id) {
  const m = message(mock, id);
  return { body: { id: m.id, message: m.message, state: m.state, event: m.event, rules: m.why, actions: m.actions } };
}

function steps(mock, id) {
  const { why: _, open: __, actions: ___, ...view } = message(mock, id);
  return { body: { ...view, steps: [...view.steps].sort((a, b) => a.t_us - b.t_us) } };
}

function save(mock, id, { text, headers, url }) {
  const { hub } = mock, old = hub.rules.find((each) => each.id === id);
  if (old && !old.editable) throw new Wrong(409, `rule "${id}" is written in ${old.file}:${old.line}`);
  if (headers['if-none-match'] === '*' && old) throw new Wrong(412, `rule "${id}" exists`);
  if (headers['if-match'] && old && headers['if-match'] !== etag(old)) throw new Wrong(412, `rule "${id}" has been changed meanwhile`);
  const { errors, rule: made } = parse(text, hub.agents);
  if (errors) throw new Wrong(422, `the rule has ${errors.length} mistake${errors.length > 1 ? 's' : ''}`, { errors });
  const next = { provider: '', file: '', line: 0, editable: true, hits: 0, last_match_us: 0, versions: [], ...old, ...made, id };
  next.versions = [...next.versions, { version: next.versions.length + 1, t_us: Date.now() * 1000, user: 'console',
    why: url.searchParams.get('why') ?? '', source: text, deleted: false }];
  hub.rules = [...hub.rules.filter((each) => each.id !== id), next];
  hub.generation++;
  return { status: old ? 200 : 201, etag: etag(next), body: { ...ruleView(next), source: text } };
}

function rollback(mock, id, request) {
  const number = Number(request.url.searchParams.get('version'));
  const version = known(rule(mock, id).versions.find((each) => each.version === number), `version ${number}`);
  request.url.searchParams.set('why', `back to version ${number}`);
  return save(mock, id, { ...request, text: version.source, headers: {} });
}

function test(mock, { text }) {
  const { event, rules } = json(text);
  let list = mock.hub.rules;
  if (rules) {
    const { errors, rule: made } = parse(rules.replace(/^- |^ {2}/gm, ''), mock.hub.agents);
    if (errors) throw new Wrong(422, 'the rules have mistakes', { errors });
    list = [made];
  }
  const results = list.map((each) => evaluate(each, event));
  const actions = list.filter((_, index) => results[index].matched).map((each) =>
    ({ rule: each.id, agent: each.agent, action: each.action, as: '', body: { text: String(event.data?.id ?? '') } }));
  return { body: { event, rules: results, actions } };
}

async function agent({ hub }, id, verb, { url }) {
  const found = known(hub.agents.get(id), `agent "${id}"`);
  if (verb === 'resume') hub.resume(found);
  else found.state = 'paused';
  const until = Date.now() + Number.parseInt(url.searchParams.get('wait') ?? '30', 10) * 1000;
  while (verb === 'drain' && found.running > 0) {
    if (Date.now() > until) throw new Wrong(504, `agent "${id}" still runs ${found.running}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { body: agentView(found) };
}

const ROUTES = [
  ['POST', /^events$/, (mock, request) => post(mock, request)],
  ['GET', /^events\/([^/]+)$/, (mock, request, id) => steps(mock, id)],
  ['GET', /^events\/([^/]+)\/why$/, (mock, request, id) => why(mock, id)],
  ['GET', /^requests\/([^/]+)$/, (mock, request, id) => { throw new Wrong(404, `no request "${id}"`); }],
  ['GET', /^stats$/, ({ hub }) => ({ body: hub.stats() })],
  ['GET', /^agents$/, ({ hub }) => ({ body: { agents: [...hub.agents.values()].map(agentView) } })],
  ['POST', /^agents\/([^/]+):(pause|resume|drain)$/, (mock, request, id, verb) => agent(mock, id, verb, request)],
  ['GET', /^rules$/, ({ hub }) => ({ body: { generation: hub.generation, rules: hub.rules.map(ruleView) } })],
  ['POST', /^rules:test$/, (mock, request) => test(mock, request)],
  ['GET', /^rules\/([^/]+)$/, (mock, request, id) =>
    ({ etag: etag(rule(mock, id)), body: { ...ruleView(rule(mock, id)), source: rule(mock, id).source } })],
  ['PUT', /^rules\/([^/]+)$/, (mock, request, id) => save(mock, id, request)],
  ['DELETE', /^rules\/([^/]+)$/, (mock, request, id) => {
    mock.hub.rules = mock.hub.rules.filter((each) => each !== rule(mock, id));
    return { status: 204 };
  }],
  ['GET', /^rules\/([^/]+)\/versions$/, (mock, request, id) => ({ body: { versions: rule(mock, id).versions } })],
  ['POST', /^rules\/([^/]+):rollback$/, (mock, request, id) => rollback(mock, id, request)],
  ['GET', /^dead-letters$/, ({ hub }, { url }) => letters.list(hub, url)],
  ['POST', /^dead-letters:replay$/, ({ hub }, { url }) => letters.replayMany(hub, url)],
  ['GET', /^dead-letters\/([^/]+)$/, ({ hub }, request, id) => ({ body: known(hub.letters.get(id), `dead letter "${id}"`) })],
  ['DELETE', /^dead-letters\/([^/]+)$/, ({ hub }, request, id) => ({ status: known(hub.letters.delete(id) || null, 'dead letter') && 204 })],
  ['POST', /^dead-letters\/([^/]+):replay$/, ({ hub }, request, id) => {
    hub.replay(known(hub.letters.get(id), `dead letter "${id}"`));
    return { status: 202 };
  }],
];

async function route(mock, request, url) {
  const path = decodeURIComponent(url.pathname.replace('/v1/', ''));
  let text = '';
  for await (const part of request) text += part;
  for (const [method, pattern, act] of ROUTES) {
    const found = request.method === method && path.match(pattern);
    if (found) return await act(mock, { text, headers: request.headers, url }, ...found.slice(1));
  }
  throw new Wrong(404, `no ${request.method} ${url.pathname}`);
}

export async function answer(mock, request, response, url) {
  let result;
  try {
    if (mock.token && request.headers.authorization !== `Bearer ${mock.token}`) {
      throw new Wrong(401, request.headers.authorization ? 'the token is not known' : 'a token is needed');
    }
    if (url.pathname === '/v1/telemetry') return void telemetry(mock.hub, request, response, url);
    result = await route(mock, request, url);
  } catch (wrong) {
    result = problem(wrong.status ?? 500, wrong.message, wrong.members);
  }
  response.writeHead(result.status ?? 200, { 'Content-Type': result.type ?? 'application/json',
    'Cache-Control': 'no-store', ...(result.etag && { ETag: result.etag }) });
  response.end(result.body ? JSON.stringify(result.body) : undefined);
}
