import type { Outbox, OutboxOrder } from './outbox';
import type { Rest } from './rest';
import type { ChatEvent, Hello, Push } from './types';

/** The state of the connection, to show to the user. `retryAt` is a time in milliseconds. */
export type Connection =
  | { readonly phase: 'connecting' }
  | { readonly phase: 'online' }
  | { readonly phase: 'offline'; readonly retryAt: number }
  | { readonly phase: 'ended'; readonly login: boolean; readonly code: number; readonly reason: string };

export interface ResumeData {
  epoch?: string;
  cursors?: Record<string, number>;
}

/** What a link reports to its owner, in wire order and never after `stop`. */
export interface LinkOwner {
  /** Returns what to resume from. Unless it `replays` missed events, they must be read. */
  hello(hello: Hello, replays: boolean): ResumeData;
  push(push: Push): void;
  event(event: ChatEvent): void;
  ready(epoch: string): void;
  connection(connection: Connection): void;
}

/** A way to the server, private or shared with other windows. Call `start` once and `stop` once. */
export interface Link {
  readonly online: boolean;
  start(): void;
  stop(): void;
  /** Resolves with the answer. Rejects with ProblemError, ConnectionLost or DeadlineExceeded. */
  request<T>(op: string, d: unknown, deadlineMs?: number): Promise<T>;
  /** Call on waking up: reconnects at once, or checks that the connection is alive. */
  probe(): void;
  /** Drops the connection and resumes on a new one immediately. */
  reconnect(): void;
}

/** A message on the wire. */
export interface Frame {
  op: string;
  re?: string | null;
  chat_id?: string;
  seq?: number;
  ts?: string;
  d?: unknown;
}

/** One connection of a link: a WebSocket or an event stream. */
export interface Wire {
  /** Whether the server replays missed events after a resume. */
  readonly replays: boolean;
  /** Whether any command awaits its answer. */
  readonly busy: boolean;
  request<T>(op: string, d: unknown, deadlineMs: number): Promise<T>;
  /** Abandons the connection: a dead one takes minutes to close. Does not notify the owner. */
  close(): void;
}

/** What a wire reports; nothing after `closed` or `close`. */
export interface WireOwner {
  opened(): void;
  /** Something arrived, even if only a sign of life. */
  heard(): void;
  frame(frame: Frame): void;
  closed(code: number): void;
}

/** The other windows of the same user. */
export interface Windows {
  /** Whether this window leads: it sends, and the others show what it does. */
  readonly leads: boolean;
  order(order: OutboxOrder): void;
  outbox(items: Outbox): void;
}

/** What a shared link reports in addition. */
export interface SharedOwner extends LinkOwner {
  /** This window now holds the connection. */
  lead(): void;
  /** Another window now holds it. */
  follow(): void;
  order(order: OutboxOrder): void;
  /** The leading window's outbox; `anew` if it has just begun to lead. */
  outbox(items: Outbox, anew: boolean): void;
  readonly rest: Rest;
}

/** Makes a link that all windows of that name share; the leading one connects. */
export type Share = (name: string, connect: (owner: LinkOwner) => Link, owner: SharedOwner) => Link & Windows;
