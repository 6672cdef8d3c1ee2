// Asks the hub. Answers are JSON; what goes wrong is a Problem, in the server's words.
import { ask, bearer, current } from './session.js';

export class Problem extends Error {
  constructor({ title = 'Failed', status = 0, detail = '', errors = [], events = [] }, retryAfter) {
    super(detail || title);
    Object.assign(this, { title, status, detail, errors, events, retryAfter });
  }
}

export async function problemOf(response) {
  const text = await response.text();
  let told = { title: response.statusText, detail: text.slice(0, 500) };
  try {
    told = JSON.parse(text);
  } catch {
    // Something between us and the hub answered: its text has to do.
  }
  return new Problem({ ...told, status: response.status }, response.headers.get('Retry-After'));
}

/* A path below /v1/, with what is not empty of `query`. */
export function address(path, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const text = new URLSearchParams(given).toString();
  return `v1/${path}${text ? `?${text}` : ''}`;
}

/* fetch(), with the token; asks for one on 401. Resolves to a response that is ok, or throws a Problem. */
export async function request(path, { query, headers, ...options } = {}) {
  for (;;) {
    const used = current();
    let response;
    try {
      response = await fetch(address(path, query), { ...options, headers: { ...headers, ...bearer() } });
    } catch (wrong) {
      if (wrong.name === 'AbortError') throw wrong;
      throw new Problem({ title: 'The hub does not answer', detail: wrong.message });
    }
    if (response.ok) return response;
    const problem = await problemOf(response);
    if (response.status !== 401 || !(await ask(used, problem.message))) throw problem;
  }
}

async function parsed(response) {
  const text = await response.text();
  return { data: text ? JSON.parse(text) : null, etag: response.headers.get('ETag') };
}

export const get = async (path, query, signal) => (await parsed(await request(path, { query, signal }))).data;
export const getWithTag = async (path, signal) => parsed(await request(path, { signal }));

export async function send(method, path, { query, body, type = 'application/json', headers = {} } = {}) {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const named = text === undefined ? headers : { ...headers, 'Content-Type': type };
  return parsed(await request(path, { method, query, body: text, headers: named }));
}
