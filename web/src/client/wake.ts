const signs = ['online', 'offline', 'pageshow', 'visibilitychange'];

/**
 * Calls `woke` whenever the network or the page may have woken up, until the returned function is
 * called. Timers notice too late: a browser stops them while the page is hidden or the device
 * sleeps.
 */
export function onWake(woke: () => void): () => void {
  const look = ({ type }: Event) => {
    if (type !== 'visibilitychange' || document.visibilityState === 'visible') woke();
  };
  for (const sign of signs) globalThis.addEventListener?.(sign, look);
  return () => signs.forEach((sign) => globalThis.removeEventListener?.(sign, look));
}
