import colouring from './page/text/colouring.worker.ts?worker&url';

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

const serviceWorker = '/sw.js';
const scripts: readonly string[] = [serviceWorker, colouring];

// The server's policy lets the page load scripts by URL through this one policy: these scripts.
const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
const policy = trustedTypes?.createPolicy('fechatter-worker', { createScriptURL: known });

const trusted = (url: string): string => policy?.createScriptURL(url) ?? url;

/** Starts the worker that colours code. */
export const startColouring = (): Worker => new Worker(trusted(colouring), { type: 'module' });

function known(url: string): string {
  if (!scripts.includes(url)) throw new TypeError(`not a script of this page: ${url}`);
  return url;
}

/** Installs the service worker, where supported: without it, the page needs a network to open. */
export function installWorker(): void {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return;
  addEventListener('load', () => void navigator.serviceWorker.register(trusted(serviceWorker)).catch(() => {}));
}
