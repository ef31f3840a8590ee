/** Delays in milliseconds. `random` returns a number in [0, 1). */
export interface Backoff {
  baseMs: number;
  capMs: number;
  random: () => number;
}

/**
 * Full jitter: any delay up to a ceiling that doubles with each attempt, so that the clients of a
 * failed server do not return in step. `attempt` counts from 0.
 */
export function fullJitter(attempt: number, { baseMs, capMs, random }: Backoff): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(random() * ceiling);
}

/** Between attempts to reach the server. */
export const patience = { baseMs: 500, capMs: 15_000 };
