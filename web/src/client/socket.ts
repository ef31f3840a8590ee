import { fullJitter } from './backoff';
import { afterClose, closeSentence } from './close';
import { ConnectionLost, DeadlineExceeded, ProblemError } from './errors';
import type { ChatEvent, Hello, Problem, ProblemCode, Push } from './types';

/** How the connection stands, for a person to see. `retryAt` is a time in milliseconds. */
export type Connection =
  | { readonly phase: 'connecting' }
  | { readonly phase: 'online' }
  | { readonly phase: 'offline'; readonly retryAt: number }
  | { readonly phase: 'ended'; readonly login: boolean; readonly code: number; readonly reason: string };

export interface ResumeData {
  epoch?: string;
  cursors?: Record<string, number>;
}

/** What the socket tells its owner; called in the order of the wire, never after `stop`. */
export interface SocketOwner {
  /** Says what to resume from. */
  hello(hello: Hello): ResumeData;
  push(push: Push): void;
  event(event: ChatEvent): void;
  ready(epoch: string): void;
  connection(connection: Connection): void;
}

export interface SocketOptions {
  url: string;
  owner: SocketOwner;
  /** For programs without a cookie: sent as the first command. */
  token?: string;
  /** [0, 1), for backoff. */
  random?: () => number;
}

const subprotocol = 'fechatter.v1.json';
const handshakeMs = 10_000;
const answerMs = 10_000;
const probeMs = 5_000;
const stableMs = 5_000;
const backoff = { baseMs: 500, capMs: 15_000 };

interface Waiting {
  resolve(d: unknown): void;
  reject(err: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

interface Frame {
  op: string;
  re?: string | null;
  chat_id?: string;
  seq?: number;
  d?: unknown;
}

/**
 * One user's connection: connects, resumes, comes back after a loss, and knows when not to. Commands
 * are answered once, or reject when the connection or the deadline ends first. One `start` and one
 * `stop`; `stop` ends every timer and every waiting command.
 */
export class Socket {
  private ws: WebSocket | null = null;
  private hello: Hello | null = null;
  private waiting = new Map<string, Waiting>();
  private lastId = 0;
  private attempt = 0;
  private heard = false;
  private phase: Connection['phase'] = 'connecting';
  private timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(private readonly options: SocketOptions) {}

  start(): void {
    this.open();
  }

  stop(): void {
    this.phase = 'ended';
    this.letGo(1000);
  }

  get online(): boolean {
    return this.phase === 'online';
  }

  /** Sends a command and gives its answer. */
  request<T>(op: string, d: unknown, deadlineMs = answerMs): Promise<T> {
    const { ws } = this;
    if (!ws || ws.readyState !== WebSocket.OPEN) return Promise.reject(new ConnectionLost('You are offline.'));
    const id = `c${++this.lastId}`;
    const text = JSON.stringify({ id, op, d });
    if (this.tooLarge(op, text)) return Promise.reject(new ProblemError(tooLargeProblem));
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => this.settle(id)?.reject(new DeadlineExceeded()), deadlineMs);
      this.waiting.set(id, { resolve: resolve as (d: unknown) => void, reject, timer });
      ws.send(text);
    });
  }

  /** The network or the page woke up: come back at once, or make sure that the connection lives. */
  probe(): void {
    if (this.phase === 'offline') return this.open();
    if (this.phase === 'online') this.ping(probeMs);
  }

  /** Drops the connection and resumes on a new one at once. */
  reconnect(): void {
    if (this.phase !== 'ended') this.open();
  }

  private open(): void {
    this.letGo(1000);
    this.tell({ phase: 'connecting' });
    const ws = new WebSocket(this.options.url, subprotocol);
    this.ws = ws;
    ws.onopen = () => this.ws === ws && this.authenticate();
    ws.onmessage = (message) => this.ws === ws && this.receive(message.data);
    ws.onclose = (close) => this.ws === ws && this.lost(close.code);
    this.after('handshake', handshakeMs, () => this.lost(1006));
  }

  private authenticate(): void {
    if (!this.options.token) return;
    this.request('auth', { token: this.options.token }).catch(() => this.lost(4501));
  }

  private receive(data: unknown): void {
    this.heard = true;
    if (this.phase === 'connecting') this.after('handshake', handshakeMs, () => this.lost(1006));
    const frame = parse(data);
    if (!frame) return;
    if (frame.re !== undefined) return this.answered(frame);
    switch (frame.op) {
      case 'hello':
        return this.resume(frame.d as Hello);
      case 'drain':
        this.drain(frame.d as { retry_after_ms: number; deadline_ms: number });
        return this.options.owner.push(frame as Push);
      case 'chats':
      case 'reset':
      case 'chat.joined':
      case 'chat.left':
      case 'session.revoked':
      case 'typing':
      case 'presence':
      case 'cursor':
      case 'degraded':
        return this.options.owner.push(frame as Push);
      default:
        if (frame.chat_id && typeof frame.seq === 'number') this.options.owner.event(frame as ChatEvent);
    }
  }

  private resume(hello: Hello): void {
    this.hello = hello;
    const { ws } = this;
    this.request<{ epoch: string }>('resume', this.options.owner.hello(hello), 120_000).then(
      (d) => this.ws === ws && this.ready(d.epoch),
      () => this.ws === ws && this.lost(1006),
    );
  }

  private ready(epoch: string): void {
    this.cancel('handshake');
    this.after('stable', stableMs, () => (this.attempt = 0));
    this.watch();
    this.options.owner.ready(epoch);
    this.tell({ phase: 'online' });
  }

  private answered(frame: Frame): void {
    const waiting = this.settle(frame.re ?? '');
    if (frame.op === 'error') waiting?.reject(new ProblemError(frame.d as Problem));
    else waiting?.resolve(frame.d ?? {});
  }

  /** A browser does not show protocol pings: silence for a heartbeat is answered with a ping of our own. */
  private watch(): void {
    this.heard = false;
    this.after('watch', this.hello?.heartbeat_ms || 25_000, () => {
      if (!this.heard) this.ping(answerMs);
      this.watch();
    });
  }

  private ping(deadlineMs: number): void {
    const { ws } = this;
    this.request('ping', {}, deadlineMs).catch((err: unknown) => {
      if (err instanceof DeadlineExceeded && this.ws === ws) this.lost(1006);
    });
  }

  /** The server is going: come back after our own time, when the answers are in or its deadline has come. */
  private drain({ retry_after_ms, deadline_ms }: { retry_after_ms: number; deadline_ms: number }): void {
    this.after('drain', retry_after_ms, () => this.leave());
    this.after('deadline', Math.max(retry_after_ms, deadline_ms), () => this.reconnect());
  }

  private leave(): void {
    if (this.waiting.size === 0) this.reconnect();
    else this.after('drain', 50, () => this.leave());
  }

  private lost(code: number): void {
    this.letGo(1000);
    const after = afterClose(code);
    if (after !== 'reconnect') {
      return this.tell({ phase: 'ended', login: after === 'login', code, reason: closeSentence(code) });
    }
    const random = this.options.random ?? Math.random;
    const delay = fullJitter(this.attempt++, { ...backoff, random });
    this.after('retry', delay, () => this.open());
    this.tell({ phase: 'offline', retryAt: Date.now() + delay });
  }

  /** Forgets the connection without waiting for it: a dead one would take minutes to close. */
  private letGo(code: number): void {
    const { ws } = this;
    this.ws = null;
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
    if (ws) ws.onopen = ws.onmessage = ws.onclose = null;
    ws?.close(code);
    for (const id of [...this.waiting.keys()]) this.settle(id)?.reject(new ConnectionLost());
  }

  private settle(id: string): Waiting | undefined {
    const waiting = this.waiting.get(id);
    if (waiting) clearTimeout(waiting.timer);
    this.waiting.delete(id);
    return waiting;
  }

  private tell(connection: Connection): void {
    this.phase = connection.phase;
    this.options.owner.connection(connection);
  }

  private after(name: string, ms: number, fn: () => void): void {
    this.cancel(name);
    this.timers.set(name, setTimeout(fn, ms));
  }

  private cancel(name: string): void {
    clearTimeout(this.timers.get(name));
    this.timers.delete(name);
  }

  private tooLarge(op: string, text: string): boolean {
    const limit = this.hello?.limits?.frame_bytes ?? 0;
    return op !== 'resume' && limit > 0 && new TextEncoder().encode(text).length > limit;
  }
}

const tooLargeProblem: Problem = {
  type: 'about:blank',
  title: 'Too large',
  status: 413,
  detail: 'This is longer than the server takes.',
  code: 'too_large' satisfies ProblemCode,
};

function parse(data: unknown): Frame | null {
  if (typeof data !== 'string') return null;
  try {
    const frame = JSON.parse(data) as Frame;
    return typeof frame?.op === 'string' ? frame : null;
  } catch {
    return null;
  }
}
