import { vi } from 'vitest';

/** What windows of a browser share, on fake timers: queued locks, channels that copy messages. */
export function installWindows(): Browser {
  const browser = new Browser();
  vi.stubGlobal('BroadcastChannel', browser.channel());
  vi.stubGlobal('navigator', { ...globalThis.navigator, locks: new Locks(browser) });
  return browser;
}

interface Waiter {
  granted(): void;
  work: () => unknown;
  resolve(value: unknown): void;
  reject(err: unknown): void;
}

/** Freezes windows as browsers do in the background: everything for them waits for the thaw. */
export class Browser {
  private readonly channels = new Set<{ name: string; onmessage: ((message: { data: unknown }) => void) | null }>();
  private frozen: { channels: Set<unknown>; waiting: (() => void)[] } | null = null;
  /** Whether locks are allowed, which they are not in a sandboxed frame. */
  refuses = false;

  /** Freezes all windows that are open now. */
  freeze(): void {
    this.frozen = { channels: new Set(this.channels), waiting: [] };
  }

  /** Thaws all but the first: they are visible. */
  wake(from: number): void {
    const later = [...this.channels].slice(from - 1);
    for (const channel of later) this.frozen!.channels.delete(channel);
  }

  thaw(): void {
    const { waiting } = this.frozen!;
    this.frozen = null;
    for (const task of waiting) task();
  }

  /** Runs a task of the windows that are open now, once they are not frozen. */
  run(task: () => void, channel?: unknown): void {
    if (this.frozen && (!channel || this.frozen.channels.has(channel))) this.frozen.waiting.push(task);
    else task();
  }

  channel() {
    const { channels } = this;
    const run = this.run.bind(this);
    return class {
      onmessage: ((message: { data: unknown }) => void) | null = null;
      constructor(readonly name: string) {
        channels.add(this);
      }
      postMessage(data: unknown): void {
        const copy = structuredClone(data);
        for (const other of channels) {
          if (other === this || other.name !== this.name) continue;
          setTimeout(() => run(() => channels.has(other) && other.onmessage?.({ data: copy }), other), 0);
        }
      }
      close(): void {
        channels.delete(this);
      }
    };
  }
}

class Locks {
  private readonly held = new Map<string, Waiter>();
  private readonly lines = new Map<string, Waiter[]>();

  constructor(private readonly browser: Browser) {}

  async request(name: string, options: { signal?: AbortSignal; steal?: boolean }, work: () => unknown): Promise<unknown> {
    if (this.browser.refuses) throw new DOMException('', 'SecurityError');
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { work, resolve, reject, granted: () => {} };
      const line = this.lines.get(name) ?? [];
      this.lines.set(name, line);
      const { signal } = options;
      const abort = () => {
        line.splice(line.indexOf(waiter), 1);
        reject(signal!.reason);
      };
      signal?.addEventListener('abort', abort);
      waiter.granted = () => signal?.removeEventListener('abort', abort);
      if (options.steal) {
        const robbed = this.held.get(name);
        this.held.delete(name);
        if (robbed) this.browser.run(() => robbed.reject(new DOMException('', 'AbortError')));
        line.unshift(waiter);
      } else line.push(waiter);
      this.next(name);
    });
  }

  private next(name: string): void {
    if (this.held.has(name)) return;
    const waiter = this.lines.get(name)?.shift();
    if (!waiter) return;
    this.held.set(name, waiter);
    waiter.granted();
    const done = (end: (value: unknown) => void) => (value: unknown) => {
      end(value);
      if (this.held.get(name) !== waiter) return;
      this.held.delete(name);
      this.next(name);
    };
    // Messages sent meanwhile reach nobody.
    const granted = new Promise((resolve) => setTimeout(resolve, 2));
    void granted.then(waiter.work).then(done(waiter.resolve), done(waiter.reject));
  }
}
