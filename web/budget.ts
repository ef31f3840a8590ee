import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

interface Chunk {
  type: 'chunk' | 'asset';
  fileName: string;
  code?: string;
  source?: string | Uint8Array;
  isEntry?: boolean;
  imports?: string[];
}

/** Breaks the build when what is loaded first is larger, packed, than so many bytes: entries (or the one of that name), what they import, and styles. */
export function budget(most: number, entry?: string): Plugin {
  return {
    name: 'budget',
    enforce: 'post',
    generateBundle(_options, bundle) {
      const all = bundle as unknown as Record<string, Chunk>;
      const first = new Set<string>();
      const add = (name: string) => {
        if (first.has(name) || !all[name]) return;
        first.add(name);
        all[name].imports?.forEach(add);
      };
      for (const { fileName, isEntry } of Object.values(all)) if ((isEntry && (!entry || fileName === entry)) || fileName.endsWith('.css')) add(fileName);
      const bytes = [...first].reduce((sum, name) => sum + gzipSync(all[name]!.code ?? all[name]!.source ?? '', { level: 9 }).length, 0);
      this.info(`first load: ${(bytes / 1000).toFixed(1)} kB of ${most / 1000} kB, packed`);
      if (bytes > most) this.error(`first load is ${bytes} bytes packed, ${most} are allowed: ${[...first].join(', ')}`);
    },
  };
}
