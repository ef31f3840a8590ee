import { ConnectionLost, DeadlineExceeded, ProblemError } from './errors';
import type { Connection, Link, LinkOwner, Share, SharedOwner } from './link';
import type { Outbox } from './outbox';
import type { OutboxOrder, Windows } from './sender';
import type { ChatEvent, Cursor, Hello, Problem, Push } from './types';

/**
 * One connection for all windows of a user, for `share` of a client; undefined where the browser has no
 * locks: on a page that came by plain HTTP from another machine.
 */
export function shareWindows(): Share | undefined {
  if (!('BroadcastChannel' in globalThis) || !globalThis.navigator?.locks) return undefined;
  return (name, connect, owner) => new SharedLink(name, connect, owner);
}

/** What windows say to one another. `to` and `from` name a window; what is to nobody is to all. */
type Note =
  | { is: 'join'; from: string }
  | { is: 'welcome'; to: string; hello: Hello | null; epoch: string; connection: Connection; items: Outbox }
  | { is: 'hello'; hello: Hello }
  | { is: 'push'; push: Push }
  | { is: 'event'; event: ChatEvent }
  | { is: 'ready'; epoch: string }
  | { is: 'connection'; connection: Connection }
  | { is: 'outbox'; items: Outbox }
  | { is: 'order'; order: OutboxOrder }
  | { is: 'wake'; how: 'probe' | 'reconnect' }
  | { is: 'request'; from: string; id: number; op: string; d: unknown }
  | { is: 'answer'; to: string; id: number; d?: unknown; failed?: Failed };

type Failed = { problem: Problem } | { lost: string } | { late: string };

interface Waiting {
  resolve(d: unknown): void;
  reject(err: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

const answerMs = 10_000;
const watchable = 500;

/**
 * One connection for all windows of a user. The window that gets the lock holds it and passes on what
 * comes; the others do as if it were theirs. When it goes, the next one takes over, from its own cursors.
 */
class SharedLink implements Link, Windows {
  private readonly me = crypto.randomUUID();
  private readonly channel: BroadcastChannel;
  private readonly ending = new AbortController();
  private readonly waiting = new Map<number, Waiting>();
  private readonly watching = new Map<string, string[]>();
  private socket: Link | null = null;
  private release: (() => void) | undefined;
  private hello: Hello | null = null;
  private epoch = '';
  private items: Outbox = [];
  private connection: Connection = { phase: 'connecting' };
  /** Whether this window has all that came before, so that what comes can be passed on. */
  private joined = false;
  /** What came while it joined. */
  private held: Note[] | null = null;
  private lastId = 0;

  constructor(
    private readonly name: string,
    private readonly connect: (owner: LinkOwner) => Link,
    private readonly owner: SharedOwner,
  ) {
    this.channel = new BroadcastChannel(name);
    this.channel.onmessage = ({ data }) => this.take(data as Note);
  }

  get leads(): boolean {
    return this.socket !== null;
  }

  get online(): boolean {
    return this.socket?.online ?? (this.joined && this.connection.phase === 'online');
  }

  start(): void {
    const { signal } = this.ending;
    // Held for as long as the window lives: by it the one that leads learns of its end.
    void navigator.locks.request(`${this.name}.${this.me}`, { signal }, () => this.untilEnd()).catch(() => {});
    void navigator.locks.request(this.name, { signal }, () => this.lead()).catch(() => {});
    this.say({ is: 'join', from: this.me });
  }

  stop(): void {
    this.ending.abort();
    this.release?.();
    this.socket?.stop();
    this.channel.close();
    this.rejectAll();
  }

  request<T>(op: string, d: unknown, deadlineMs = answerMs): Promise<T> {
    if (this.socket) return this.command(this.me, op, d, deadlineMs) as Promise<T>;
    if (!this.online) return Promise.reject(new ConnectionLost('You are offline.'));
    const id = ++this.lastId;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => this.settle(id)?.reject(new DeadlineExceeded()), deadlineMs);
      this.waiting.set(id, { resolve: resolve as (d: unknown) => void, reject, timer });
      this.say({ is: 'request', from: this.me, id, op, d });
    });
  }

  probe = (): void => this.wake('probe');
  reconnect = (): void => this.wake('reconnect');

  order(order: OutboxOrder): void {
    this.say({ is: 'order', order });
  }

  outbox(items: Outbox): void {
    this.items = items;
    this.say({ is: 'outbox', items });
  }

  private wake(how: 'probe' | 'reconnect'): void {
    if (this.socket) this.socket[how]();
    else this.say({ is: 'wake', how });
  }

  private untilEnd(): Promise<void> {
    const { signal } = this.ending;
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
  }

  private lead(): Promise<void> {
    this.rejectAll();
    this.held = null;
    this.socket = this.connect(this.passing());
    this.owner.lead();
    this.socket.start();
    return new Promise((resolve) => (this.release = resolve));
  }

  /** The owner, and all other windows. */
  private passing(): LinkOwner {
    return {
      hello: (hello, replays) => {
        this.hello = hello;
        this.say({ is: 'hello', hello });
        return this.owner.hello(hello, replays);
      },
      push: (push) => this.both({ is: 'push', push }),
      event: (event) => this.both({ is: 'event', event }),
      ready: (epoch) => {
        this.epoch = epoch;
        this.both({ is: 'ready', epoch });
      },
      connection: (connection) => {
        this.connection = connection;
        this.both({ is: 'connection', connection });
      },
    };
  }

  private both(note: Note): void {
    this.say(note);
    this.tell(note);
  }

  private say(note: Note): void {
    if (!this.ending.signal.aborted) this.channel.postMessage(note);
  }

  private take(note: Note): void {
    if ('to' in note && note.to !== this.me) return;
    if (this.socket) this.serve(note);
    else this.follow(note);
  }

  /** What others ask of the window that leads. */
  private serve(note: Note): void {
    const { hello, epoch, connection, items } = this;
    if (note.is === 'join') this.say({ is: 'welcome', to: note.from, hello, epoch, connection, items });
    else if (note.is === 'order') this.owner.order(note.order);
    else if (note.is === 'wake') this.socket?.[note.how]();
    else if (note.is === 'request') void this.answer(note);
  }

  private async answer({ from, id, op, d }: Extract<Note, { is: 'request' }>): Promise<void> {
    const answer = { is: 'answer', to: from, id } as const;
    try {
      this.say({ ...answer, d: await this.command(from, op, d, answerMs) });
    } catch (err) {
      this.say({ ...answer, failed: failed(err) });
    }
  }

  /** A command of some window, over the one connection. */
  private async command(from: string, op: string, d: unknown, deadlineMs: number): Promise<unknown> {
    const data = op === 'presence.watch' ? { user_ids: this.watched(from, (d as { user_ids: string[] }).user_ids) } : d;
    const answer = await this.socket!.request(op, data, deadlineMs);
    if (op === 'cursor.set') this.moved((d as { chat_id: string }).chat_id, answer as Cursor);
    return answer;
  }

  /** A connection watches one list: that of all its windows. One that is gone is forgotten. */
  private watched(from: string, ids: string[]): string[] {
    if (from !== this.me && !this.watching.has(from)) {
      const gone = () => void this.watching.delete(from);
      void navigator.locks.request(`${this.name}.${from}`, { signal: this.ending.signal }, gone).catch(() => {});
    }
    this.watching.set(from, ids);
    return [...new Set([...ids, ...[...this.watching.values()].flat()])].slice(0, watchable);
  }

  /** The server does not tell a connection of its own cursor; all windows have to know. */
  private moved(chat_id: string, cursor: Cursor): void {
    if (this.hello) this.both({ is: 'push', push: { op: 'cursor', chat_id, d: { user_id: this.hello.user_id, ...cursor } } });
  }

  /** What the window that leads says. */
  private follow(note: Note): void {
    switch (note.is) {
      case 'welcome':
        return this.welcomed(note);
      case 'outbox':
        return this.owner.outbox(note.items);
      case 'answer':
        return this.answered(note);
      case 'hello':
        this.joined = true;
        this.held = null;
        this.hello = note.hello;
        return void this.owner.hello(note.hello, false);
      case 'connection':
        this.connection = note.connection;
        if (note.connection.phase !== 'online') this.rejectAll();
        if (note.connection.phase === 'online' && !this.joined) return void this.say({ is: 'join', from: this.me });
        return this.pass(note);
      case 'push':
      case 'event':
      case 'ready':
        return this.pass(note);
    }
  }

  private pass(note: Note): void {
    if (this.held) this.held.push(note);
    else if (this.joined || note.is === 'connection') this.tell(note);
  }

  private tell(note: Note): void {
    if (note.is === 'push') this.owner.push(note.push);
    else if (note.is === 'event') this.owner.event(note.event);
    else if (note.is === 'ready') this.owner.ready(note.epoch);
    else if (note.is === 'connection') this.owner.connection(note.connection);
  }

  private welcomed({ hello, epoch, connection, items }: Extract<Note, { is: 'welcome' }>): void {
    this.connection = connection;
    this.owner.outbox(items);
    if (connection.phase === 'online' && hello) void this.join(hello, epoch);
    else this.owner.connection(connection);
  }

  /** Reads what the connection told before this window came; what it tells meanwhile waits. */
  private async join(hello: Hello, epoch: string): Promise<void> {
    if (this.joined || this.held) return;
    const held: Note[] = (this.held = []);
    const chats = await this.owner.entries().catch(() => null);
    if (this.held !== held) return;
    this.held = null;
    if (!chats) return void setTimeout(() => this.say({ is: 'join', from: this.me }), 1_000);
    this.hello = hello;
    this.joined = true;
    this.owner.hello(hello, false);
    this.owner.push({ op: 'chats', d: { chats } });
    this.owner.ready(epoch);
    this.owner.connection(this.connection);
    for (const note of held) this.tell(note);
  }

  private answered({ id, d, failed: why }: Extract<Note, { is: 'answer' }>): void {
    const waiting = this.settle(id);
    if (!why) waiting?.resolve(d);
    else if ('problem' in why) waiting?.reject(new ProblemError(why.problem));
    else waiting?.reject('late' in why ? new DeadlineExceeded(why.late) : new ConnectionLost(why.lost));
  }

  private settle(id: number): Waiting | undefined {
    const waiting = this.waiting.get(id);
    if (waiting) clearTimeout(waiting.timer);
    this.waiting.delete(id);
    return waiting;
  }

  private rejectAll(): void {
    for (const id of [...this.waiting.keys()]) this.settle(id)?.reject(new ConnectionLost());
  }
}

function failed(err: unknown): Failed {
  if (err instanceof ProblemError) return { problem: err.problem };
  const message = err instanceof Error ? err.message : String(err);
  return err instanceof DeadlineExceeded ? { late: message } : { lost: message };
}
