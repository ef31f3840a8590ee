import { vi } from 'vitest';
import { foldMessage } from '../src/client/message';
import type { ChatEvent, Cursor, Entry, EventData, EventOp, Limits, MemberCursor, Message, Presence, Problem, ProblemCode, ResetReason, Sent } from '../src/client/types';
import { entry as makeEntry, time } from './make';

/**
 * A server in memory that keeps the protocol's promises: one log per chat, sends once by key, history as
 * of a seq, resume by cursors. Tests pull its cables: lose answers, cut connections, hold history back.
 * It runs on fake timers; every frame is delivered by a timer of its own, in order.
 */

const limits: Limits = {
  frame_bytes: 65_536,
  body_bytes: 16_384,
  sends_per_second: 10,
  send_burst: 20,
  chat_members: 5000,
  chats_per_user: 2000,
  receipts_members: 64,
  resume_window: 500,
  resume_events: 2000,
};

type Json = Record<string, any>;

class Refusal extends Error {
  constructor(
    readonly code: ProblemCode,
    readonly retryAfterMs?: number,
  ) {
    super(code);
  }
  problem(): Problem {
    const { code, retryAfterMs: retry_after_ms } = this;
    return { type: 'about:blank', title: code, status: 400, detail: `refused: ${code}`, code, ...(retry_after_ms && { retry_after_ms }) };
  }
}

export class FakeChat {
  readonly events: ChatEvent[] = [];
  readonly keys = new Map<string, Sent>();
  /** History by seq: what a read shows. */
  readonly messages = new Map<number, Message>();

  constructor(
    readonly id: string,
    readonly user: string,
  ) {}

  get lastSeq(): number {
    return this.events.length;
  }

  append<Op extends EventOp>(op: Op, actor_id: string, d: (seq: number) => EventData[Op]): ChatEvent {
    const seq = this.lastSeq + 1;
    const event = { op, chat_id: this.id, seq, ts: time(seq), actor_id, d: d(seq) } as ChatEvent;
    this.events.push(event);
    this.fold(event);
    return event;
  }

  private fold(event: ChatEvent): void {
    if (event.op === 'message.created') {
      const { key: _key, ...message } = event.d;
      this.messages.set(event.seq, message);
    } else if ('message_seq' in (event.d as object)) {
      const { message_seq } = event.d as { message_seq: number };
      this.messages.set(message_seq, foldMessage(this.messages.get(message_seq)!, event, this.user));
    }
  }

  /** What the chat is, where it differs from the default. */
  kind: Partial<Entry> = {};

  entry({ read_seq: readSeq, delivered_seq }: Cursor): Entry {
    const all = [...this.messages.values()];
    const unread = all.filter((m) => m.seq > readSeq && m.sender_id !== this.user);
    return makeEntry({
      id: this.id,
      last_seq: this.lastSeq,
      read_seq: readSeq,
      delivered_seq,
      unread: unread.length,
      mentions: unread.filter((m) => m.mentions.includes(this.user) && !m.deleted_at).length,
      last_message: all.at(-1),
      ...this.kind,
    });
  }
}

export class FakeServer {
  epoch = 'e1';
  resumeWindow = 500;
  readonly chats = new Map<string, FakeChat>();
  readonly sockets = new Set<FakeSocket>();
  readonly readSeq = new Map<string, number>();
  readonly deliveredSeq = new Map<string, number>();
  /** The other members' cursors, of every chat. */
  cursors: MemberCursor[] = [];
  /** Everybody's presence; null for a server that does not know it. */
  presence: Presence[] | null = [];
  /** Commands received, by op. */
  readonly received: Json[] = [];
  /** Whether a connection attempt succeeds. */
  up = true;
  /** Whether WebSockets get through. */
  websockets = true;
  /** Called before a command takes effect: may throw a refusal. */
  before: (command: Json) => void = () => {};
  /** Whether the answer to a command is delivered. */
  answers: (command: Json) => boolean = () => true;
  /** Whether an event is delivered live. */
  delivers: (event: ChatEvent) => boolean = () => true;
  /** Holds an HTTP answer back until it resolves; the answer is taken before. */
  hold: (path: string) => Promise<void> | undefined = () => undefined;
  /** Whether reads of a path are refused for good. */
  refuses: (path: string) => boolean = () => false;
  private connections = 0;

  constructor(readonly user = 'me') {}

  chat(id = 'chat-1'): FakeChat {
    const held = this.chats.get(id);
    if (held) return held;
    const chat = new FakeChat(id, this.user);
    this.chats.set(id, chat);
    return chat;
  }

  post(sender: string, body: string, key = `${sender}-${Math.random()}`, chatId = 'chat-1', mentions: string[] = []): Sent {
    const chat = this.chat(chatId);
    const known = chat.keys.get(sender + key);
    if (known) return { ...known, replayed: true };
    const event = chat.append('message.created', sender, (seq) => ({
      id: `${chatId}-m${seq}`,
      chat_id: chatId,
      seq,
      sender_id: sender,
      body,
      mentions,
      reactions: [],
      version: 1,
      created_at: time(seq),
      key,
    }));
    const sent = { message_id: `${chatId}-m${event.seq}`, seq: event.seq, ts: event.ts, replayed: false };
    chat.keys.set(sender + key, sent);
    if (sender === this.user) this.readSeq.set(chatId, event.seq);
    this.publish(event);
    return sent;
  }

  change<Op extends EventOp>(op: Op, actor: string, d: EventData[Op], chatId = 'chat-1'): void {
    this.publish(this.chat(chatId).append(op, actor, () => d));
  }

  publish(event: ChatEvent): void {
    if (!this.delivers(event)) return;
    for (const socket of this.sockets) if (socket.subscribed) socket.deliver(event);
  }

  /** Ends every connection as the network does: with a close code, or in silence. */
  cut(code: number | 'silence' = 1006): void {
    for (const socket of [...this.sockets]) socket.end(code);
  }

  /** Tells every connection something without a seq. */
  tell(frame: Json): void {
    for (const socket of this.sockets) socket.deliver(frame);
  }

  cursor(chatId: string): Cursor {
    const read_seq = this.readSeq.get(chatId) ?? 0;
    return { read_seq, delivered_seq: Math.max(read_seq, this.deliveredSeq.get(chatId) ?? 0) };
  }

  entries(): Entry[] {
    return [...this.chats.values()].map((chat) => chat.entry(this.cursor(chat.id)));
  }

  /** `fetch` for the client under test. */
  readonly fetch = (async (input: string, init: RequestInit = {}) => {
    const url = new URL(input, 'http://server');
    if (!this.up) throw new TypeError('failed to fetch');
    if (url.pathname === '/api/v1/events') return this.stream(init.signal!);
    const refused = this.refuses(url.pathname);
    const answer = refused ? '' : JSON.stringify(this.read(url, init));
    await this.hold(url.pathname);
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (refused) return new Response('', { status: 404 });
    return new Response(answer, { status: 200, headers: { 'Content-Type': 'application/json' } });
  }) as typeof fetch;

  /** The event stream: a connection that is told the same and says nothing. */
  private stream(signal: AbortSignal): Response {
    const encoder = new TextEncoder();
    const server = this;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        const socket = new FakeSocket(server, 'stream', '', (frame) => {
          const text = `event: ${(frame as Json)['op']}\ndata: ${JSON.stringify(frame)}\n\n`;
          // As networks do: in pieces, cut anywhere.
          const bytes = encoder.encode(text);
          controller.enqueue(bytes.slice(0, bytes.length / 2));
          controller.enqueue(bytes.slice(bytes.length / 2));
        });
        const alive = setInterval(() => server.sockets.has(socket) && controller.enqueue(encoder.encode(':\n\n')), 15_000);
        socket.onclose = () => {
          clearInterval(alive);
          controller.close();
        };
        signal.addEventListener('abort', () => {
          clearInterval(alive);
          socket.close();
        });
      },
    });
    return new Response(body, { status: 200, headers: { 'Content-Type': 'text/event-stream' } });
  }

  /** A command that came by REST, as one of a socket. */
  private byRest(chatId: string, what: string, init: RequestInit): Json | null {
    const d = JSON.parse(String(init.body ?? '{}')) as Json;
    const key = (init.headers as Record<string, string>)['Idempotency-Key'];
    if (init.method === 'POST' && what === 'messages') {
      this.received.push({ op: 'message.send', d: { ...d, chat_id: chatId, key }, rest: true });
      const sent = this.post(this.user, d['body'], key, chatId);
      return { ...this.chat(chatId).messages.get(sent.seq) };
    }
    if (init.method !== 'PUT') return null;
    return this.command(null, { op: 'cursor.set', d: { ...d, chat_id: chatId } }) as Json;
  }

  private read(url: URL, init: RequestInit): Json {
    if (url.pathname === '/api/v1/chats') return { chats: this.entries(), epoch: this.epoch };
    const [, chatId, what] = /^\/api\/v1\/chats\/([^/]+)\/?(\w*)/.exec(url.pathname) ?? [];
    if (!chatId) return { id: url.pathname.split('/').at(-1), username: 'someone', display_name: '', created_at: '' };
    const done = this.byRest(chatId, what ?? '', init);
    if (done) return done;
    const chat = this.chat(chatId);
    const { epoch } = this;
    if (what === 'events') {
      const after = Number(url.searchParams.get('after_seq'));
      return { events: chat.events.slice(after, after + Number(url.searchParams.get('limit'))), last_seq: chat.lastSeq, epoch };
    }
    if (what === 'cursors') return { cursors: [{ user_id: this.user, ...this.cursor(chatId) }, ...this.cursors] };
    if (what !== 'messages') return chat.entry(this.cursor(chatId));
    const before = Number(url.searchParams.get('before_seq') ?? Infinity);
    const limit = Number(url.searchParams.get('limit') ?? 50);
    const all = [...chat.messages.values()].filter((m) => m.seq < before);
    return { messages: all.slice(-limit), has_more: all.length > limit, last_seq: chat.lastSeq, epoch };
  }

  /** A command of an authenticated connection; gives the answer's data. */
  command(socket: FakeSocket | null, { op, d }: Json): unknown {
    switch (op) {
      case 'auth':
      case 'ping':
      case 'typing.set':
        return {};
      case 'message.send':
        return this.post(this.user, d.body, d.key, d.chat_id);
      case 'cursor.set':
        if (d.read_seq) this.readSeq.set(d.chat_id, Math.max(this.cursor(d.chat_id).read_seq, d.read_seq));
        if (d.delivered_seq) this.deliveredSeq.set(d.chat_id, Math.max(this.cursor(d.chat_id).delivered_seq, d.delivered_seq));
        return this.cursor(d.chat_id);
      case 'presence.watch':
        if (!this.presence) throw new Refusal('bad_request');
        return { users: this.presence.filter(({ user_id }) => d.user_ids.includes(user_id)) };
      case 'presence.set':
      case 'activity':
        if (!this.presence) throw new Refusal('bad_request');
        return {};
      case 'resume':
        return this.resume(socket!, d);
      default:
        throw new Refusal('bad_request');
    }
  }

  private resume(socket: FakeSocket, d: { epoch?: string; cursors?: Record<string, number> }): unknown {
    socket.deliver({ op: 'chats', d: { chats: this.entries() } });
    for (const [id, cursor] of Object.entries(d.cursors ?? {})) {
      const chat = this.chats.get(id);
      if (!chat) continue;
      const reason = this.resetReason(chat, d.epoch, cursor);
      if (reason) socket.deliver({ op: 'reset', chat_id: id, seq: chat.lastSeq, d: { reason } });
      else for (const event of chat.events.slice(cursor)) socket.deliver(event);
    }
    socket.subscribed = true;
    return { epoch: this.epoch };
  }

  private resetReason(chat: FakeChat, epoch: string | undefined, cursor: number): ResetReason | null {
    if (epoch !== this.epoch) return 'epoch';
    if (cursor > chat.lastSeq) return 'ahead';
    return chat.lastSeq - cursor > this.resumeWindow ? 'too_far' : null;
  }

  hello(): Json {
    const session_id = `s${++this.connections}`;
    return { op: 'hello', d: { session_id, user_id: this.user, epoch: this.epoch, heartbeat_ms: 25_000, server_time: time(0), limits } };
  }

  static refuse(code: ProblemCode, retryAfterMs?: number): never {
    throw new Refusal(code, retryAfterMs);
  }
}

/** The browser's WebSocket, as far as the client uses it, connected to a FakeServer. */
export class FakeSocket {
  static readonly OPEN = 1;
  readyState = 0;
  subscribed = false;
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((close: { code: number }) => void) | null = null;
  private silent = false;

  constructor(
    private readonly server: FakeServer,
    readonly url: string,
    readonly protocol: string,
    /** For a stream: where its frames go. */
    private readonly out?: (frame: unknown) => void,
  ) {
    setTimeout(() => this.connect(), 1);
  }

  send(text: string): void {
    const command = JSON.parse(text) as Json;
    setTimeout(() => this.take(command), 0);
  }

  close(): void {
    this.readyState = 3;
    this.server.sockets.delete(this);
  }

  deliver(frame: unknown): void {
    if (this.silent) return;
    if (this.out) setTimeout(() => this.readyState === 1 && this.out!(frame), 0);
    else setTimeout(() => this.readyState === 1 && this.onmessage?.({ data: JSON.stringify(frame) }), 0);
  }

  end(code: number | 'silence'): void {
    this.server.sockets.delete(this);
    if (code === 'silence') {
      this.silent = true;
      return;
    }
    this.readyState = 3;
    setTimeout(() => this.onclose?.({ code }), 0);
  }

  private connect(): void {
    if (this.readyState !== 0) return;
    if (!this.server.up || (!this.out && !this.server.websockets)) return this.end(1006);
    this.readyState = 1;
    this.server.sockets.add(this);
    this.onopen?.();
    this.deliver(this.server.hello());
    if (!this.out) return;
    this.deliver({ op: 'chats', d: { chats: this.server.entries() } });
    this.subscribed = true;
    this.deliver({ op: 'ready', d: { epoch: this.server.epoch } });
  }

  private take(command: Json): void {
    if (this.silent || this.readyState !== 1) return;
    this.server.received.push(command);
    const { id: re } = command;
    try {
      this.server.before(command);
      const d = this.server.command(this, command);
      const op = command['op'] === 'resume' ? 'ready' : 'ok';
      if (this.server.answers(command)) this.deliver({ re, op, d });
    } catch (err) {
      if (!(err instanceof Refusal)) throw err;
      this.deliver({ re, op: 'error', d: err.problem() });
    }
  }
}

/** Puts the server in the place of the browser's network, on fake timers. */
export function install(server: FakeServer): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'] });
  const Faked = class extends FakeSocket {
    constructor(url: string, protocol: string) {
      super(server, url, protocol);
    }
  };
  vi.stubGlobal('WebSocket', Faked);
}

export function uninstall(): void {
  vi.unstubAllGlobals();
  vi.useRealTimers();
}

/** Lets time pass, and all that it brings. */
export function pass(ms = 100): Promise<unknown> {
  return vi.advanceTimersByTimeAsync(ms);
}
