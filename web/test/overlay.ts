import { readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

/**
 * Serves edited copies in place of files, as `go build -overlay` does and from the same JSON. A
 * proof breaks a rule this way, without touching the tree, to show that its test fails.
 */
export function overlay(file: string | undefined): Plugin {
  const { Replace: copies } = file ? (JSON.parse(readFileSync(file, 'utf8')) as { Replace: Record<string, string> }) : { Replace: {} };
  return {
    name: 'overlay',
    enforce: 'pre',
    load: (id) => (copies[id] ? readFileSync(copies[id], 'utf8') : null),
  };
}
