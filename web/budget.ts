import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

interface Chunk {
  type: 'chunk' | 'asset';
  fileName: string;
  code?: string;
  source?: string | Uint8Array;
  isEntry?: boolean;
  imports?: string[];
  viteMetadata?: { importedCss: Set<string> };
}

/**
 * Fails the build if the first load exceeds `most` bytes, packed: all entries or just `entry`,
 * their imports, their styles, and the face of Latin letters.
 */
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
        all[name].viteMetadata?.importedCss.forEach(add);
      };
      for (const { fileName, isEntry } of Object.values(all)) if ((isEntry && (!entry || fileName === entry)) || isFirstFont(fileName)) add(fileName);
      const bytes = [...first].reduce((sum, name) => sum + gzipSync(all[name]!.code ?? all[name]!.source ?? '', { level: 9 }).length, 0);
      this.info(`first load: ${(bytes / 1000).toFixed(1)} kB of ${most / 1000} kB, packed`);
      if (bytes > most) this.error(`first load is ${bytes} bytes packed, ${most} are allowed: ${[...first].join(', ')}`);
    },
  };
}

/** Faces of rarer letters are loaded where they occur. */
const isFirstFont = (fileName: string) => fileName.endsWith('.woff2') && !fileName.includes('-ext-');
