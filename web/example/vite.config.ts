import { defineConfig } from 'vite';

const server = process.env['FECHATTER_DEV_SERVER'] ?? 'http://127.0.0.1:8080';

/**
 * The example beside a running server, at /example/ of the same host: the cookie of the page's
 * log-in is good for both, and the server sees the host that the page has, else it would refuse
 * what it sends.
 */
export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  optimizeDeps: { noDiscovery: true, entries: ['example/index.html'] },
  server: { host: '127.0.0.1', preTransformRequests: false, open: '/example/', proxy: { '/api': { target: server }, '/ws': { target: server, ws: true } } },
});
