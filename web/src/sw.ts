/**
 * The service worker: caches the page itself, so that it opens without a network. It never touches
 * the API or the socket, nor anything that people wrote.
 */
interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetch extends Extendable {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Worker {
  addEventListener(name: 'install' | 'activate', listener: (event: Extendable) => void): void;
  addEventListener(name: 'fetch', listener: (event: Fetch) => void): void;
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
}

/** The files loaded first, filled in by the build. They and the cache's name differ per build. */
const shell = JSON.parse('__SHELL__') as string[];
const kept = `page ${shell.join(' ')}`;
const worker = globalThis as unknown as Worker;

worker.addEventListener('install', (event) => event.waitUntil(install()));
worker.addEventListener('activate', (event) => event.waitUntil(activate()));
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (pathname.startsWith('/assets/')) event.respondWith(asset(request));
  else if (request.mode === 'navigate') event.respondWith(fetch(request).catch(() => held('/')));
  else if (shell.includes(pathname)) event.respondWith(fetch(request).catch(() => held(pathname)));
});

async function install(): Promise<void> {
  const cache = await caches.open(kept);
  await cache.addAll(shell);
  await worker.skipWaiting();
}

async function activate(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name !== kept);
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.clients.claim();
}

async function held(path: string): Promise<Response> {
  return (await caches.match(path)) ?? Response.error();
}

/** Serves assets from the cache: their names contain a hash, so they never change. */
async function asset(request: Request): Promise<Response> {
  const found = await caches.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok) await (await caches.open(kept)).put(request, answer.clone());
  return answer;
}
