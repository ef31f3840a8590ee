import { vi } from 'vitest';

/** What windows of one browser share, on fake timers: locks that wait in line, channels that copy what they carry. */
export function installWindows(): void {
  const channels = new Set<Channel>();
  class Channel {
    onmessage: ((message: { data: unknown }) => void) | null = null;
    constructor(readonly name: string) {
      channels.add(this);
    }
    postMessage(data: unknown): void {
      const copy = structuredClone(data);
      for (const other of channels) if (other !== this && other.name === this.name) setTimeout(() => channels.has(other) && other.onmessage?.({ data: copy }), 0);
    }
    close(): void {
      channels.delete(this);
    }
  }
  const lines = new Map<string, Promise<unknown>>();
  const locks = {
    request(name: string, { signal }: { signal: AbortSignal }, work: () => unknown): Promise<unknown> {
      const before = lines.get(name) ?? Promise.resolve();
      const turn = before.then(() => (signal.aborted ? undefined : work()));
      lines.set(name, turn);
      return turn;
    },
  };
  vi.stubGlobal('BroadcastChannel', Channel);
  vi.stubGlobal('navigator', { ...globalThis.navigator, locks });
}
