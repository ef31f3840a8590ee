import { Answers } from './answers';
import { ConnectionLost, ProblemError } from './errors';
import type { Frame, Wire, WireOwner } from './link';
import type { Problem } from './types';

const subprotocol = 'fechatter.v1.json';

/** A WebSocket. A command resolves once, or rejects if the connection or deadline ends first. */
export class WebSocketWire implements Wire {
  readonly replays = true;
  readonly #answers = new Answers();
  readonly #ws: WebSocket;

  constructor(url: string, owner: WireOwner) {
    this.#ws = new WebSocket(url, subprotocol);
    this.#ws.onopen = () => owner.opened();
    this.#ws.onmessage = (message) => {
      owner.heard();
      const frame = parse(message.data);
      if (frame?.re !== undefined) this.#answered(frame);
      else if (frame) owner.frame(frame);
    };
    this.#ws.onclose = (close) => {
      this.close();
      owner.closed(close.code);
    };
  }

  get busy(): boolean {
    return this.#answers.size > 0;
  }

  request<T>(op: string, d: unknown, deadlineMs: number): Promise<T> {
    if (this.#ws.readyState !== WebSocket.OPEN) return Promise.reject(new ConnectionLost());
    return this.#answers.to<T>((id) => this.#ws.send(JSON.stringify({ id, op, d })), deadlineMs);
  }

  close(): void {
    this.#ws.onopen = this.#ws.onmessage = this.#ws.onclose = null;
    this.#ws.close(1000);
    this.#answers.lose();
  }

  #answered(frame: Frame): void {
    const waiting = this.#answers.claim(frame.re ?? '');
    if (frame.op === 'error') waiting?.reject(new ProblemError(frame.d as Problem));
    else waiting?.resolve(frame.d ?? {});
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
