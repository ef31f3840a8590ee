import { runByRest } from './commands';
import { DeadlineExceeded, ProblemError } from './errors';
import type { Frame, Wire, WireOwner } from './link';
import type { Rest } from './rest';

/** The server gives a sign of life every 15 s. */
const silentMs = 40_000;

/**
 * The server's event stream, where WebSockets do not get through; commands travel by REST. What was missed
 * is not replayed: whoever owns it reads it, from the cursors that they hold.
 */
export class EventStreamWire implements Wire {
  readonly replays = false;
  private readonly abort = new AbortController();
  private running = 0;
  private silence: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly rest: Rest,
    private readonly owner: WireOwner,
  ) {
    void this.read();
  }

  get busy(): boolean {
    return this.running > 0;
  }

  async request<T>(op: string, d: unknown, deadlineMs: number): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new DeadlineExceeded()), deadlineMs)));
    this.running++;
    try {
      return (await Promise.race([runByRest(this.rest, op, d), late])) as T;
    } finally {
      clearTimeout(timer);
      this.running--;
    }
  }

  close(): void {
    clearTimeout(this.silence);
    this.abort.abort();
  }

  private async read(): Promise<void> {
    const { signal } = this.abort;
    try {
      const stream = await this.rest.stream(signal);
      this.owner.opened();
      const lines = new Lines();
      for (let part = await this.next(stream); part && !signal.aborted; part = await this.next(stream)) {
        this.owner.heard();
        for (const frame of lines.take(part)) if (!signal.aborted) this.owner.frame(frame);
      }
      this.end(1006);
    } catch (err) {
      this.end(closeCode(err));
    }
  }

  private async next(stream: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | undefined> {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => this.end(1006), silentMs);
    return (await stream.read()).value;
  }

  private end(code: number): void {
    if (this.abort.signal.aborted) return;
    this.close();
    this.owner.closed(code);
  }
}

/** What a WebSocket would have said. */
function closeCode(err: unknown): number {
  if (!(err instanceof ProblemError)) return 1006;
  return { unauthenticated: 4501, forbidden: 1008 }[err.code as string] ?? 1006;
}

/** Cuts a stream of bytes into its events; knows of the format what this server writes. */
class Lines {
  private readonly decoder = new TextDecoder();
  private rest = '';

  take(bytes: Uint8Array): Frame[] {
    const blocks = (this.rest + this.decoder.decode(bytes, { stream: true })).split(/\r?\n\r?\n/);
    this.rest = blocks.pop()!;
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
