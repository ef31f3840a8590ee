import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { mutate } from './test/mutations.ts';

export default defineConfig({
  plugins: [mutate(process.env['MUTATE']), svelte()],
  resolve: { conditions: ['browser'] },
  test: {
    include: ['test/**/*.test.ts'],
    mockReset: true,
  },
});
