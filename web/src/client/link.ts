import type { Outbox } from './outbox';
import type { OutboxOrder, Windows } from './sender';
import type { Rest } from './rest';
import type { ChatEvent, Hello, Push } from './types';

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

/** What a link tells its owner; called in the order of the wire, never after `stop`. */
export interface LinkOwner {
  /** Says what to resume from. `replays`: whether what was missed will come; else it has to be read. */
  hello(hello: Hello, replays: boolean): ResumeData;
  push(push: Push): void;
  event(event: ChatEvent): void;
  ready(epoch: string): void;
  connection(connection: Connection): void;
}

/** A way to the server, of its own or shared with other windows. One `start` and one `stop`. */
export interface Link {
  readonly online: boolean;
  start(): void;
  stop(): void;
  /** Sends a command and gives its answer. Rejects with ProblemError, ConnectionLost or DeadlineExceeded. */
  request<T>(op: string, d: unknown, deadlineMs?: number): Promise<T>;
  /** The network or the page woke up: come back at once, or make sure that the connection lives. */
  probe(): void;
  /** Drops the connection and resumes on a new one at once. */
  reconnect(): void;
}

/** A message of the wire. */
export interface Frame {
  op: string;
  re?: string | null;
  chat_id?: string;
  seq?: number;
  ts?: string;
  d?: unknown;
}

/** One connection of a link, of either kind. */
export interface Wire {
  /** Whether a resume by cursors is replayed. */
  readonly replays: boolean;
  /** Whether answers are still out. */
  readonly busy: boolean;
  request<T>(op: string, d: unknown, deadlineMs: number): Promise<T>;
  /** Forgets the connection without waiting for it: a dead one would take minutes to close. Tells its owner nothing. */
  close(): void;
}

/** What a wire tells; nothing after `closed` or `close`. */
export interface WireOwner {
  opened(): void;
  /** Something came, were it only a sign of life. */
  heard(): void;
  frame(frame: Frame): void;
  closed(code: number): void;
}

/** Told by a link that is shared, besides what a link tells. */
export interface SharedOwner extends LinkOwner {
  /** This window holds the connection from now on. */
  lead(): void;
  /** Another window has taken it. */
  follow(): void;
  order(order: OutboxOrder): void;
  /** The outbox of the window that leads; `anew` when it has just begun to. */
  outbox(items: Outbox, anew: boolean): void;
  readonly rest: Rest;
}

/** Makes a link that the windows of that name share; the one that leads connects. */
export type Share = (name: string, connect: (owner: LinkOwner) => Link, owner: SharedOwner) => Link & Windows;
