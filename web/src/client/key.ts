/**
 * A fresh idempotency key: the time in milliseconds, then 80 random bits, as hexadecimal. Keys that
 * begin with the time lie together in the database's index. `crypto.randomUUID` does neither that nor
 * exist on a page served by plain HTTP in a local network.
 */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  const random = Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
  return Date.now().toString(16).padStart(12, '0') + random;
}
