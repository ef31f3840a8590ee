import { defineConfig } from 'vite';

const server = process.env['FECHATTER_DEV_SERVER'] ?? 'http://127.0.0.1:8080';

/** The example beside a running server, at /example/: both on one address, as the session's cookie wants it. */
export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  server: { open: '/example/', proxy: { '/api': server, '/ws': { target: server, ws: true } } },
});
