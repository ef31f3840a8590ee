import { fullJitter, patience } from './backoff';
import { afterClose, closeSentence } from './close';
import { ConnectionLost, DeadlineExceeded, ProblemError, refusal } from './errors';
import type { Connection, Frame, Link, LinkOwner, Wire, WireOwner } from './link';
import type { Rest } from './rest';
import type { ChatEvent, Hello, Push } from './types';
import { WebSocketWire } from './websocket';

export interface SocketOptions {
  url: string;
  /** The expected user. A connection as anyone else, who has logged in since, is dropped. */
  user: string;
  owner: LinkOwner;
  /** Sent as the first command, for programs without a cookie. */
  token?: string;
  /** Enables the event stream where WebSockets are blocked. */
  rest?: Rest;
  /** Returns a number in [0, 1), for backoff. */
  random?: () => number;
}

const answerMs = 10_000;
const probeMs = 5_000;
const stableMs = 5_000;
/** How long to use the event stream before trying a WebSocket again, which may cost time. */
const streamMs = 10 * 60_000;
const blockedMs = 60 * 60_000;
/** How many WebSockets in a row must be silent before the event stream is tried. */
const mutes = 2;

/**
 * One user's connection: connects, resumes, reconnects after a loss, and knows when not to. Uses a
 * WebSocket, or the event stream where WebSockets are blocked. `stop` ends all timers and pending
 * commands.
 */
export class Socket implements Link {
  readonly #options: SocketOptions;
  #wire: Wire | null = null;
  #hello: Hello | null = null;
  /** Numbers connections, to ignore what earlier ones report. */
  #turn = 0;
  #attempt = 0;
  /** How many WebSockets in a row got no hello. */
  #mute = 0;
  /** Whether a WebSocket ever got through, which makes it worth trying again soon. */
  #worked = false;
  #heard = false;
  #phase: Connection['phase'] = 'connecting';
  #timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(options: SocketOptions) {
    this.#options = options;
  }

  start(): void {
    this.#open();
  }

  stop(): void {
    this.#phase = 'ended';
    this.#letGo();
  }

  get online(): boolean {
    return this.#phase === 'online';
  }

  request<T>(op: string, d: unknown, deadlineMs = answerMs): Promise<T> {
    if (!this.#wire) return Promise.reject(new ConnectionLost());
    if (this.#tooLarge(op, d)) return Promise.reject(refusal(413, 'too_large', 'This is too long for the server.'));
    return this.#wire.request<T>(op, d, deadlineMs);
  }

  probe(): void {
    if (this.#phase === 'offline') return this.#open();
    if (this.#phase === 'online') this.#ping(probeMs);
  }

  reconnect(): void {
    if (this.#phase !== 'ended') this.#open();
  }

  #open(): void {
    this.#letGo();
    this.#heard = false;
    this.#tell({ phase: 'connecting' });
    this.#after('handshake', answerMs, () => this.#lost(1006));
    const { rest, url } = this.#options;
    // Only every third attempt: the silence may also be that of a server that is down.
    const stream = rest && this.#mute >= mutes;
    const turn = this.#turn;
    const owner = this.#ownerOf(() => this.#turn === turn);
    if (stream) void this.#openStream(rest, owner, () => this.#turn === turn);
    else this.#wire = new WebSocketWire(url, owner);
    this.#mute = stream ? 0 : this.#mute + 1;
    if (stream) this.#after('stream', this.#worked ? streamMs : blockedMs, () => this.#upgrade());
  }

  /** Loads the event stream on demand: few need it. */
  async #openStream(rest: Rest, owner: WireOwner, current: () => boolean): Promise<void> {
    const part = await import('./eventstream').catch(() => null);
    if (!current()) return;
    if (part) this.#wire = new part.EventStreamWire(rest, owner);
    else this.#lost(1006);
  }

  #ownerOf(current: () => boolean): WireOwner {
    return {
      opened: () => current() && this.#authenticate(),
      heard: () => current() && this.#hear(),
      frame: (frame) => current() && this.#receive(frame),
      closed: (code) => current() && this.#lost(code),
    };
  }

  #authenticate(): void {
    if (!this.#options.token || !this.#wire?.replays) return;
    const wire = this.#wire;
    this.request('auth', { token: this.#options.token }).catch((err: unknown) => {
      const refused = err instanceof ProblemError && err.code === 'unauthenticated';
      if (this.#wire === wire) this.#lost(refused ? 4501 : 1006);
    });
  }

  #hear(): void {
    this.#heard = true;
    if (this.#phase === 'connecting') this.#after('handshake', answerMs, () => this.#lost(1006));
  }

  #receive(frame: Frame): void {
    if (frame.op === 'hello') return this.#resume(frame.d as Hello);
    if (frame.op === 'ready') return this.#ready((frame.d as { epoch: string }).epoch);
    if (frame.op === 'drain') this.#drain(frame.d as { retry_after_ms: number; deadline_ms: number });
    // Among unsolicited frames, only events carry a time.
    if (frame.ts) this.#options.owner.event(frame as ChatEvent);
    else this.#options.owner.push(frame as Push);
  }

  #resume(hello: Hello): void {
    if (hello.user_id !== this.#options.user) return this.#lost(4501);
    this.#hello = hello;
    const wire = this.#wire;
    // Next time, begin with what got through.
    this.#mute = wire?.replays ? 0 : mutes;
    this.#worked ||= !!wire?.replays;
    const from = this.#options.owner.hello(hello, wire!.replays);
    if (!wire?.replays) return;
    this.request<{ epoch: string }>('resume', from, 120_000).then(
      (d) => this.#wire === wire && this.#ready(d.epoch),
      () => this.#wire === wire && this.#lost(1006),
    );
  }

  #ready(epoch: string): void {
    this.#cancel('handshake');
    this.#after('stable', stableMs, () => (this.#attempt = 0));
    this.#watch();
    this.#options.owner.ready(epoch);
    this.#tell({ phase: 'online' });
  }

  /** Pings after a heartbeat of silence, because browsers hide protocol pings. */
  #watch(): void {
    this.#heard = false;
    this.#after('watch', this.#hello?.heartbeat_ms || 25_000, () => {
      if (!this.#heard) this.#ping(answerMs);
      this.#watch();
    });
  }

  #ping(deadlineMs: number): void {
    const wire = this.#wire;
    this.request('ping', {}, deadlineMs).catch((err: unknown) => {
      if (err instanceof DeadlineExceeded && this.#wire === wire) this.#lost(1006);
    });
  }

  /** The server shuts down: reconnect at the given time, once answers are in or at its deadline. */
  #drain({ retry_after_ms, deadline_ms }: { retry_after_ms: number; deadline_ms: number }): void {
    this.#after('drain', retry_after_ms, () => this.#leave());
    this.#after('deadline', Math.max(retry_after_ms, deadline_ms), () => this.reconnect());
  }

  #leave(): void {
    if (!this.#wire?.busy) this.reconnect();
    else this.#after('drain', 50, () => this.#leave());
  }

  #lost(code: number): void {
    this.#letGo();
    const after = afterClose(code);
    if (after !== 'reconnect') {
      return this.#tell({ phase: 'ended', login: after === 'login', code, reason: closeSentence(code) });
    }
    const random = this.#options.random ?? Math.random;
    const delay = fullJitter(this.#attempt++, { ...patience, random });
    this.#after('retry', delay, () => this.#open());
    this.#tell({ phase: 'offline', retryAt: Date.now() + delay });
  }

  #upgrade(): void {
    // A single attempt: if it is silent too, the stream is next.
    this.#mute = mutes - 1;
    this.reconnect();
  }

  #letGo(): void {
    const wire = this.#wire;
    this.#turn++;
    this.#wire = null;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    wire?.close();
  }

  #tell(connection: Connection): void {
    this.#phase = connection.phase;
    this.#options.owner.connection(connection);
  }

  #after(name: string, ms: number, fn: () => void): void {
    this.#cancel(name);
    this.#timers.set(name, setTimeout(fn, ms));
  }

  #cancel(name: string): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  #tooLarge(op: string, d: unknown): boolean {
    const limit = this.#hello?.limits?.frame_bytes || Infinity;
    const envelope = 64;
    return op !== 'resume' && new TextEncoder().encode(JSON.stringify(d)).length + envelope > limit;
  }
}
