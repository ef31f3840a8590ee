/** Delays in milliseconds. `random` gives [0, 1). */
export interface Backoff {
  baseMs: number;
  capMs: number;
  random: () => number;
}

/**
 * Full jitter: anything between nothing and the doubled base, so that clients of one failed
 * server do not come back in step. `attempt` counts from 0.
 */
export function fullJitter(attempt: number, { baseMs, capMs, random }: Backoff): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(random() * ceiling);
}
