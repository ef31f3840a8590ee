import { vi } from 'vitest';
// The client loads it when WebSockets fail, in time that fake timers don't wait for.
import '../src/client/eventstream';
import type { ChatEvent, Cursor, Entry, EventData, EventOp, File, Limits, MemberCursor, Presence, Problem, ProblemCode, ResetReason, Sent } from '../src/client/types';
import { FakeChat } from './fake-chat';
import { file, time } from './make';

/**
 * A server in memory that keeps the protocol's promises: one log per chat, one message per key,
 * history as of a seq, resume by cursors. Tests interfere: they lose answers, cut connections,
 * delay history. Runs on fake timers; a timer of its own delivers each frame, in order.
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

const someone = (id: string) => ({ id, username: 'someone', display_name: '', created_at: '' });

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

export class FakeServer {
  /** What `hello` says of them. */
  limits = limits;
  epoch = 'e1';
  resumeWindow = 500;
  readonly chats = new Map<string, FakeChat>();
  readonly sockets = new Set<FakeSocket>();
  readonly readSeq = new Map<string, number>();
  readonly deliveredSeq = new Map<string, number>();
  /** The other members' cursors, in every chat. */
  cursors: MemberCursor[] = [];
  /** Whom the user has blocked. */
  blocked: string[] = [];
  /** Everyone's presence; null for a server without presence. */
  presence: Presence[] | null = [];
  /** Commands received, by op. */
  readonly received: Json[] = [];
  /** Whether a connection attempt succeeds. */
  up = true;
  /** Whether WebSockets get through. */
  websockets = true;
  /** Called before a command takes effect; may throw a refusal. */
  before: (command: Json) => void = () => {};
  /** Whether the answer to a command is delivered. */
  answers: (command: Json) => boolean = () => true;
  /** When the message of a seq was sent. */
  when: (seq: number) => string = time;
  /** Whether an event is delivered live. */
  delivers: (event: ChatEvent) => boolean = () => true;
  /** Delays an HTTP answer until it resolves; the answer is computed before. */
  hold: (path: string) => Promise<void> | undefined = () => undefined;
  /** The files that were uploaded. */
  readonly files = new Map<string, File>();
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

  post(sender: string, body: string, key: string = crypto.randomUUID(), chatId = 'chat-1', mentions: string[] = [], attachments?: File[]): Sent {
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
      ...(attachments && { attachments }),
      version: 1,
      created_at: this.when(seq),
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

  /** Ends every connection as a network does: with a close code, or silently. */
  cut(code: number | 'silence' = 1006): void {
    for (const socket of [...this.sockets]) socket.end(code);
  }

  /** Pushes something without a seq to every connection. */
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
    const answer = refused ? '' : JSON.stringify(url.pathname === '/api/v1/files' ? this.upload(url, init.body as Blob) : this.read(url, init));
    await this.hold(url.pathname);
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (refused) return new Response('', { status: 404 });
    return new Response(answer, { status: 200, headers: { 'Content-Type': 'application/json' } });
  }) as typeof fetch;

  /** Opens an event stream: a connection that receives the same and sends nothing. */
  private stream(signal: AbortSignal): Response {
    const encoder = new TextEncoder();
    const server = this;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        const socket = new FakeSocket(server, 'stream', '', (frame) => {
          const text = `event: ${(frame as Json)['op']}\ndata: ${JSON.stringify(frame)}\n\n`;
          // In pieces cut anywhere, as on a network.
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

  private upload(url: URL, { type, size }: Blob): File {
    const made = file({ id: `f${this.files.size + 1}`, name: url.searchParams.get('name')!, media_type: type, size });
    this.files.set(made.id, made);
    return made;
  }

  /** Runs a REST request as the socket's command. */
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
    if (url.pathname === '/api/v1/me/blocks') return { users: this.blocked.map(someone) };
    if (url.pathname === '/api/v1/chats') return { chats: this.entries(), epoch: this.epoch };
    if (url.pathname === '/api/v1/users') return { users: url.searchParams.getAll('id').map(someone) };
    const [, chatId, what] = /^\/api\/v1\/chats\/([^/]+)\/?(\w*)/.exec(url.pathname) ?? [];
    if (!chatId) return someone(url.pathname.split('/').at(-1)!);
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

  /** Runs a command of an authenticated connection; returns the answer's data. */
  command(socket: FakeSocket | null, { op, d }: Json): unknown {
    switch (op) {
      case 'auth':
      case 'ping':
      case 'typing.set':
        return {};
      case 'message.send':
        return this.post(this.user, d.body, d.key, d.chat_id, [], d.attachments?.map((id: string) => this.files.get(id) ?? FakeServer.refuse('not_found')));
      case 'message.edit':
        return this.edit(d);
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

  private edit({ message_id, body, version }: Json): unknown {
    const [chat] = [...this.chats.values()].filter((c) => [...c.messages.values()].some((m) => m.id === message_id));
    const message = [...chat!.messages.values()].find((m) => m.id === message_id)!;
    if (message.version !== version) throw new Refusal('conflict');
    this.change('message.edited', this.user, { message_id, message_seq: message.seq, body, mentions: [], version: version + 1, edited_at: 'now' }, chat!.id);
    return { seq: chat!.lastSeq, version: version + 1 };
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
    return { op: 'hello', d: { session_id, user_id: this.user, epoch: this.epoch, heartbeat_ms: 25_000, server_time: time(0), limits: this.limits } };
  }

  static refuse(code: ProblemCode, retryAfterMs?: number): never {
    throw new Refusal(code, retryAfterMs);
  }
}

/** As much of the browser's WebSocket as the client uses, connected to a FakeServer. */
export class FakeSocket {
  static readonly OPEN = 1;
  readyState = 0;
  subscribed = false;
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: unknown }) => void) | null = null;
  onclose: ((close: { code: number }) => void) | null = null;
  private silent = false;
  private readonly said: Json[] = [];

  constructor(
    private readonly server: FakeServer,
    readonly url: string,
    readonly protocol: string,
    /** Where the frames of an event stream go. */
    private readonly out?: (frame: unknown) => void,
  ) {
    setTimeout(() => this.connect(), 1);
  }

  send(text: string): void {
    // Timers set within one run a millisecond later than others: what was said first comes first all the same.
    this.said.push(JSON.parse(text) as Json);
    setTimeout(() => this.receive(this.said.shift()!), 0);
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

  private receive(command: Json): void {
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

/**
 * Replaces the browser's network with the server, on fake timers. Chance is the same in each run:
 * every delay with jitter is as long as it can be.
 */
export function install(server: FakeServer): void {
  vi.spyOn(Math, 'random').mockReturnValue(0.999);
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

/** Lets time pass, with everything that it brings. */
export function pass(ms = 100): Promise<unknown> {
  return vi.advanceTimersByTimeAsync(ms);
}
