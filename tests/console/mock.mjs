// A mock of the hub's HTTP interface, for the console's tests and for working on the console:
//   node mock.mjs --files FOLDER [--port 8099] [--rate 12] [--backlog 400] [--token SECRET] [--seed 7]
// FOLDER holds the built files of the console. They are served under the policy that console.h gives.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Hub } from './mock/hub.mjs';
import { answer } from './mock/api.mjs';

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml', '.txt': 'text/plain; charset=utf-8' };

function policy() {
  const here = dirname(fileURLToPath(import.meta.url));
  const header = readFileSync(join(here, '../../plugins/event-providers/http/console/console.h'), 'utf8');
  const [, value] = header.match(/#define CONSOLE_POLICY((?:.*\\\n)+.*\n)/);
  return [...value.matchAll(/"([^"]*)"/g)].map((part) => part[1]).join('');
}

async function file(folder, path, response) {
  const name = normalize(path === '/' ? '/index.html' : path);
  try {
    const data = await readFile(join(folder, name));
    response.writeHead(200, { 'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream',
      'Content-Security-Policy': policy(), 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-cache' });
    response.end(data);
  } catch {
    response.writeHead(404).end();
  }
}

/* Starts a mock and resolves to {url, hub, requests, close}. */
export function startMock({ files, port = 0, rate = 12, backlog, seed, token = '' }) {
  const hub = new Hub({ seed, backlog }), requests = [];
  if (rate > 0) hub.start(rate);
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://mock');
    if (!url.pathname.startsWith('/v1/')) return void file(files, url.pathname, response);
    requests.push(`${request.method} ${request.url}`);
    answer({ hub, token }, request, response, url);
  });
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve({
    url: `http://127.0.0.1:${server.address().port}/`, hub, requests,
    close() {
      hub.stop();
      server.closeAllConnections();
      server.close();
    },
  })));
}

function options(words) {
  const found = {};
  for (let i = 0; i + 1 < words.length; i += 2) found[words[i].replace(/^--/, '')] = words[i + 1];
  for (const name of ['port', 'rate', 'backlog', 'seed']) if (found[name]) found[name] = Number(found[name]);
  return found;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const mock = await startMock({ port: 8099, ...options(process.argv.slice(2)) });
  console.log(mock.url);
}
