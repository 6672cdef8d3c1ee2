// The mock's telemetry as server-sent events: filtered, resumable, in chunks like a busy hub sends them.

const FILTERS = ['type', 'agent', 'rule', 'user', 'message', 'step'];

export function telemetry(hub, request, response, url) {
  const wanted = FILTERS.filter((name) => url.searchParams.get(name));
  const fits = ({ step }) => wanted.every((name) => step[name] === url.searchParams.get(name));
  const text = ({ n, step }) => `id: ${n}\nevent: step\ndata: ${JSON.stringify(step)}\n\n`;
  const last = Number(request.headers['last-event-id'] ?? (url.searchParams.get('since') === 'oldest' ? 0 : hub.next - 1));

  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.write(': ping\n\n');
  response.write(hub.records.filter((record) => record.n > last && fits(record)).map(text).join(''));
  let waiting = [];
  const take = (record) => {
    if (fits(record)) waiting.push(record);
  };
  const flush = setInterval(() => {
    if (waiting.length) response.write(waiting.map(text).join(''));
    waiting = [];
  }, 40);
  hub.on('record', take);
  response.on('close', () => {
    hub.off('record', take);
    clearInterval(flush);
  });
}
