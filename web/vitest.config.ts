import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { overlay } from './test/overlay.ts';

// Somewhere with days of 23 and 25 hours.
process.env['TZ'] = 'Europe/Berlin';

export default defineConfig({
  plugins: [overlay(process.env['OVERLAY']), svelte()],
  resolve: { conditions: ['browser'] },
  test: {
    include: ['test/**/*.test.ts'],
    mockReset: true,
    // Bounds a hang, not a busy machine.
    testTimeout: 60_000,
    // Starts twice as fast as processes, the default.
    pool: 'threads',
  },
});
