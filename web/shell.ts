import type { Plugin } from 'vite';

interface Chunk {
  type: 'chunk' | 'asset';
  fileName: string;
  code?: string;
  isEntry?: boolean;
  imports?: string[];
}

const always = ['/', '/favicon.svg', '/favicon-unread.svg', '/manifest.webmanifest'];

/** Tells the service worker which files the page loads first. */
export function offlineShell(): Plugin {
  return {
    name: 'offline-shell',
    generateBundle(_options, bundle) {
      const all = Object.values(bundle as unknown as Record<string, Chunk>);
      const worker = all.find(({ fileName }) => fileName === 'sw.js');
      if (!worker?.code?.includes('__SHELL__')) this.error('the service worker has no place for its list');
      const first = all.filter(({ fileName, isEntry }) => fileName !== 'sw.js' && (isEntry || fileName.endsWith('.css')));
      const files = first.flatMap(({ fileName, imports = [] }) => [fileName, ...imports]).map((name) => `/${name}`);
      worker.code = worker.code.replace('__SHELL__', JSON.stringify([...always, ...new Set(files)]));
    },
  };
}
