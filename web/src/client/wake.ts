const signs = ['online', 'offline', 'pageshow', 'visibilitychange'];

/**
 * Calls `woke` when the network or the page may have woken up, where there is a page; the answer ends it.
 * Timers tell of it too late: a browser stops them while a page is hidden or the device sleeps.
 */
export function onWake(woke: () => void): () => void {
  const look = ({ type }: Event) => {
    if (type !== 'visibilitychange' || document.visibilityState === 'visible') woke();
  };
  for (const sign of signs) globalThis.addEventListener?.(sign, look);
  return () => signs.forEach((sign) => globalThis.removeEventListener?.(sign, look));
}
