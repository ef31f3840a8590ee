/**
 * A fresh idempotency key: 128 random bits as hexadecimal. `crypto.randomUUID` would do, but exists
 * only on secure pages, and a page served by plain HTTP in a local network is not one.
 */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}
