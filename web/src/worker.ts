interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string };
}

const url = '/sw.js';

/** Installs the service worker, where there can be one. The page works without it, but only with a network. */
export function installWorker(): void {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return;
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  // The server's policy lets this page name one script, and this is it.
  const trusted = trustedTypes?.createPolicy('fechatter-worker', { createScriptURL: () => url }).createScriptURL(url) ?? url;
  addEventListener('load', () => void navigator.serviceWorker.register(trusted).catch(() => {}));
}
