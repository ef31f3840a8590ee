import { defineConfig } from 'vitest/config';

// Each target runs for FUZZ_TIME seconds: scripts/fuzz.sh.
export default defineConfig({
  resolve: { conditions: ['browser'] },
  test: { include: ['fuzz/**/*.fuzz.ts'], testTimeout: 3_600_000, pool: 'forks', disableConsoleIntercept: true },
});
