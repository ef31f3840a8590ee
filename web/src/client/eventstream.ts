import { runByRest } from './commands';
import { DeadlineExceeded, ProblemError } from './errors';
import type { Frame, Wire, WireOwner } from './link';
import type { Rest } from './rest';

/** The server sends something at least every 15 s. */
const silentMs = 40_000;
/** After this much silence, a ping fails. */
const doubtMs = 20_000;

/**
 * The server's event stream, for networks that block WebSockets; commands travel over REST. Missed
 * events are not replayed: the owner reads them from its cursors.
 */
export class EventStreamWire implements Wire {
  readonly #rest: Rest;
  readonly #owner: WireOwner;
  readonly replays = false;
  readonly #abort = new AbortController();
  #running = 0;
  #heardAt = performance.now();
  #silence: ReturnType<typeof setTimeout> | undefined;

  constructor(rest: Rest, owner: WireOwner) {
    this.#rest = rest;
    this.#owner = owner;
    void this.#read();
  }

  get busy(): boolean {
    return this.#running > 0;
  }

  async request<T>(op: string, d: unknown, deadlineMs: number): Promise<T> {
    if (op === 'ping' && performance.now() - this.#heardAt > doubtMs) throw new DeadlineExceeded();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new DeadlineExceeded()), deadlineMs)));
    this.#running++;
    try {
      return (await Promise.race([runByRest(this.#rest, op, d), late])) as T;
    } finally {
      clearTimeout(timer);
      this.#running--;
    }
  }

  close(): void {
    clearTimeout(this.#silence);
    this.#abort.abort();
  }

  async #read(): Promise<void> {
    const { signal } = this.#abort;
    try {
      const stream = await this.#rest.stream(signal);
      this.#owner.opened();
      const lines = new Lines();
      for (let part = await this.#next(stream); part && !signal.aborted; part = await this.#next(stream)) {
        this.#heardAt = performance.now();
        this.#owner.heard();
        for (const frame of lines.frames(part)) if (!signal.aborted) this.#owner.frame(frame);
      }
      this.#end(1006);
    } catch (err) {
      this.#end(closeCode(err));
    }
  }

  async #next(stream: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | undefined> {
    clearTimeout(this.#silence);
    if (!this.#abort.signal.aborted) this.#silence = setTimeout(() => this.#end(1006), silentMs);
    return (await stream.read()).value;
  }

  #end(code: number): void {
    if (this.#abort.signal.aborted) return;
    this.close();
    this.#owner.closed(code);
  }
}

/** The code with which a WebSocket would have closed. */
function closeCode(err: unknown): number {
  if (!(err instanceof ProblemError)) return 1006;
  return { unauthenticated: 4501, forbidden: 1008 }[err.code as string] ?? 1006;
}

/** Splits a stream of bytes into frames. Knows the part of the format that this server writes. */
class Lines {
  readonly #decoder = new TextDecoder();
  #rest = '';

  frames(bytes: Uint8Array): Frame[] {
    const blocks = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split(/\r?\n\r?\n/);
    this.#rest = blocks.pop()!;
    return blocks.flatMap(frameOf);
  }
}

function frameOf(block: string): Frame[] {
  const data = block.split(/\r?\n/).flatMap((line) => (line.startsWith('data:') ? [line.slice(5).replace(/^ /, '')] : []));
  try {
    const frame = JSON.parse(data.join('\n')) as Frame;
    return typeof frame?.op === 'string' ? [frame] : [];
  } catch {
    return [];
  }
}
