import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['e2e/**/*.e2e.ts'],
    // These bound a hang; a busy machine may need most of it.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // The tests mostly wait, for the network and for each other: three keep two cores busy.
    maxWorkers: 3,
    // Each file has a server and a browser of its own; what they import is loaded once.
    isolate: false,
  },
});
