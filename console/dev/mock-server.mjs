// A server for developing the console without a daemon: serves dist/ as vsocd does (headers included) and answers schema/openapi.yaml from made-up
// data in memory. Not for production, not secure.  usage: node dev/mock-server.mjs [port]     env ROWS = number of incidents
import { createServer } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { answer } from './mock-api.mjs';
import { makeWorld } from './seed.mjs';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));
const TYPES = { '.js': 'text/javascript', '.css': 'text/css', '.html': 'text/html; charset=utf-8', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.json': 'application/json', '.txt': 'text/plain; charset=utf-8' };
export const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

function serveFile(request, response, path) {
  const wanted = normalize(path).replace(/^\/+/, '');
  const file = wanted !== '' && existsSync(join(DIST, wanted)) && extname(wanted) !== '' ? wanted : 'index.html';
  const headers = { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream', 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer', 'Content-Security-Policy': CSP, 'Cache-Control': file.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache' };
  const packed = existsSync(join(DIST, `${file}.gz`)) && /gzip/.test(request.headers['accept-encoding'] ?? '');
  if (packed) headers['Content-Encoding'] = 'gzip';
  response.writeHead(200, headers);
  response.end(readFileSync(join(DIST, packed ? `${file}.gz` : file)));
}

async function bodyOf(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    return null;
  }
}

function openStream(world, request, response) {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  const beat = () => response.write(`event: heartbeat\ndata: ${JSON.stringify({ seq: world.seq, time: new Date().toISOString(), lag_ms: 340, detect_lag_ms: 120, silent_vehicles: world.fleet.filter((v) => v.silent).length, blind_spots: 2 })}\n\n`);
  beat();
  const timer = setInterval(beat, 5000);
  world.listeners.add(response);
  request.on('close', () => { clearInterval(timer); world.listeners.delete(response); });
}

export function startMock({ port = 0, rows = Number(process.env.ROWS ?? 160) } = {}) {
  const world = makeWorld({ incidents: rows });
  world.listeners = new Set();
  world.sessions = new Map();
  world.undo = new Map();
  world.silences = [];
  world.tags = [];
  world.tell = (id, version) => {
    for (const l of world.listeners) l.write(`event: change\nid: ${world.seq}\ndata: ${JSON.stringify({ topic: 'incident', id, version, seq: world.seq })}\n\n`);
  };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://mock');
    if (!url.pathname.startsWith('/api/v1/')) return serveFile(request, response, url.pathname);
    const path = url.pathname.slice('/api/v1'.length);
    const session = world.sessions.get(/vsoc_session=(\w+)/.exec(request.headers.cookie ?? '')?.[1]);
    if (path === '/stream' && session) return openStream(world, request, response);
    const id = `req-${Math.random().toString(16).slice(2, 10)}`;
    const result = answer(world, { method: request.method, path, query: url.searchParams, body: await bodyOf(request), session, csrf: request.headers['x-csrf-token'], requestId: id });
    const headers = { 'Content-Type': result.status >= 400 ? 'application/problem+json' : 'application/json', 'X-Request-Id': id, 'Cache-Control': 'no-store', ...(result.headers ?? {}) };
    response.writeHead(result.status, headers);
    response.end(result.body === undefined ? undefined : JSON.stringify(result.body));
  });
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve({ url: `http://127.0.0.1:${server.address().port}`, world, close: () => { server.closeAllConnections(); server.close(); } })));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await startMock({ port: Number(process.argv[2] ?? 8780) });
  console.log(`${url}  (users analyst, auditor; password demo)`);
}
