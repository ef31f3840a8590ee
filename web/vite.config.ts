import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import { budget } from './budget.ts';
import { offlineShell } from './shell.ts';

const server = process.env['FECHATTER_DEV_SERVER'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [svelte(), keepPlaceholder(), offlineShell(), budget(150_000)],
  build: {
    target: 'es2024',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: true,
    // The emoji of a language are one file, loaded when the picker is first opened.
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      input: { index: 'index.html', sw: 'src/sw.ts' },
      output: { entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
    },
  },
  server: {
    proxy: {
      // As an object: the short form would hide the page's own host, and the server refuse what it
      // sends.
      '/api': { target: server },
      '/ws': { target: server, ws: true },
    },
  },
});

/**
 * Restores the placeholder in dist/, which must exist in a fresh checkout because the Go side
 * embeds it.
 */
function keepPlaceholder() {
  return {
    name: 'keep-placeholder',
    generateBundle(this: { emitFile(file: { type: 'asset'; fileName: string; source: string }): void }) {
      this.emitFile({ type: 'asset', fileName: '.gitkeep', source: '' });
    },
  };
}
