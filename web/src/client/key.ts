/**
 * Returns a new idempotency key: the time in milliseconds, in hexadecimal, and 128 random bits.
 * Keys that begin with the time lie together in the database's index. `crypto.randomUUID` does not
 * do that, nor does it exist on a page served over plain HTTP.
 */
export function newKey(): string {
  return Date.now().toString(16) + crypto.getRandomValues(new Uint32Array(4)).join('');
}
