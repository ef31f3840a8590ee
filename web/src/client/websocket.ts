import { ConnectionLost, DeadlineExceeded, ProblemError } from './errors';
import type { Frame, Wire, WireOwner } from './link';
import type { Problem } from './types';

const subprotocol = 'fechatter.v1.json';

interface Waiting {
  resolve(d: unknown): void;
  reject(err: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

/** A WebSocket to the server. Commands are answered once, or reject when the connection or the deadline ends first. */
export class WebSocketWire implements Wire {
  readonly replays = true;
  private readonly waiting = new Map<string, Waiting>();
  private readonly ws: WebSocket;
  private lastId = 0;

  constructor(url: string, owner: WireOwner) {
    this.ws = new WebSocket(url, subprotocol);
    this.ws.onopen = () => owner.opened();
    this.ws.onmessage = (message) => {
      owner.heard();
      const frame = parse(message.data);
      if (frame?.re !== undefined) this.answered(frame);
      else if (frame) owner.frame(frame);
    };
    this.ws.onclose = (close) => {
      this.close();
      owner.closed(close.code);
    };
  }

  get busy(): boolean {
    return this.waiting.size > 0;
  }

  request<T>(op: string, d: unknown, deadlineMs: number): Promise<T> {
    if (this.ws.readyState !== WebSocket.OPEN) return Promise.reject(new ConnectionLost('You are offline.'));
    const id = `c${++this.lastId}`;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => this.settle(id)?.reject(new DeadlineExceeded()), deadlineMs);
      this.waiting.set(id, { resolve: resolve as (d: unknown) => void, reject, timer });
      this.ws.send(JSON.stringify({ id, op, d }));
    });
  }

  close(): void {
    this.ws.onopen = this.ws.onmessage = this.ws.onclose = null;
    this.ws.close(1000);
    for (const id of [...this.waiting.keys()]) this.settle(id)?.reject(new ConnectionLost());
  }

  private answered(frame: Frame): void {
    const waiting = this.settle(frame.re ?? '');
    if (frame.op === 'error') waiting?.reject(new ProblemError(frame.d as Problem));
    else waiting?.resolve(frame.d ?? {});
  }

  private settle(id: string): Waiting | undefined {
    const waiting = this.waiting.get(id);
    if (waiting) clearTimeout(waiting.timer);
    this.waiting.delete(id);
    return waiting;
  }
}

function parse(data: unknown): Frame | null {
  if (typeof data !== 'string') return null;
  try {
    const frame = JSON.parse(data) as Frame;
    return typeof frame?.op === 'string' ? frame : null;
  } catch {
    return null;
  }
}
