import * as apply from './apply';
import { Deliveries } from './deliveries';
import { Directory } from './directory';
import { Emitter, type Events } from './events';
import type { Connection, Link, LinkOwner, ResumeData, Share, SharedOwner, Windows } from './link';
import { Optional } from './optional';
import { ackedByEvent, type Outbox, type OutboxOrder, type OutboxStorage } from './outbox';
import { holds, leavePast } from './past';
import { Presences } from './presence';
import { applyCursor } from './receipts';
import { Reads } from './reads';
import { Rest } from './rest';
import { Sender } from './sender';
import { Socket } from './socket';
import type { State } from './state';
import { Store } from './store';
import { Typists, Writing } from './typing';
import { Upkeep } from './upkeep';
import { onWake } from './wake';
import type { ChatEvent, Cursor, Entry, File, Hello, MemberCursor, Membership, Push, User } from './types';

export interface ClientOptions {
  /** The user this client acts for, as returned by `rest.me()` or a log-in. */
  user: User;
  /** ws:// or wss://, with the path. */
  socketUrl: string;
  /** A `Rest` to share with the program; by default, a new one for the page's own origin. */
  rest?: Rest;
  /** The token from a log-in, for programs without a cookie. */
  token?: string;
  /** Keeps unsent messages when the page goes away; without it they are lost. */
  storage?: OutboxStorage;
  /** `shareWindows()`, to share one connection among all the user's windows in this browser. */
  share?: Share | undefined;
  /** Returns a number in [0, 1) for jitter; `Math.random` by default. */
  random?: () => number;
  /** Called when a background read, which no caller awaits, fails for good. */
  onError?: (err: unknown) => void;
}

/**
 * A logged-in user's view of the server: keeps state, connection and outbox in agreement. Knows
 * nothing of any page. Call `start` once and `stop` once; nothing changes after `stop`. Promises
 * reject with ProblemError, ConnectionLost or DeadlineExceeded: those of commands within 10 s,
 * those of reads after five attempts of 15 s each.
 */
export class Client implements SharedOwner {
  readonly store: Store;
  readonly rest: Rest;
  readonly directory: Directory;
  readonly presences: Presences;
  readonly #link: Link;
  readonly #windows: Windows;
  readonly #sender: Sender;
  readonly #reads: Reads;
  readonly #upkeep: Upkeep;
  readonly #deliveries: Deliveries;
  readonly #commands: Optional;
  readonly #writing: Writing;
  readonly #typists: Typists;
  readonly #emitter = new Emitter();
  readonly #onError: (err: unknown) => void;
  #sleep = () => {};

  constructor(options: ClientOptions) {
    const { user, socketUrl: url, token, random } = options;
    this.#onError = options.onError ?? (() => {});
    this.store = new Store(user.id);
    this.rest = options.rest ?? new Rest('', token);
    this.directory = new Directory(this.store, this.rest);
    this.directory.learn([user]);
    const way = { url, user: user.id, rest: this.rest, ...(token && { token }), ...(random && { random }) };
    const connect = (owner: LinkOwner) => new Socket({ ...way, owner });
    const windows = options.share?.(`fechatter.${user.id}`, connect, this);
    this.#link = windows ?? connect(this);
    this.#windows = windows ?? alone;
    this.#sender = new Sender(this.store, this.#link, options.storage ?? noStorage, this.#windows, random);
    this.#reads = new Reads(this.store, this.rest, (before) => this.#changed(before));
    this.#upkeep = new Upkeep(this.store, this.#reads, this.#onError);
    this.#deliveries = new Deliveries(this.store, this.#link, this.#windows);
    this.#commands = new Optional(this.#link);
    this.presences = new Presences(this.store, this.#commands);
    this.#writing = new Writing(this.#commands);
    this.#typists = new Typists(this.store);
  }

  /** Calls `listener` for each event of that name until the returned function is called. */
  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): () => void {
    return name === 'change' ? this.store.subscribe(listener as (snapshot: Events['change']) => void) : this.#emitter.on(name, listener);
  }

  /** Connects, and stays connected until `stop` or until the server refuses for good. */
  start(): void {
    this.#sleep = onWake(this.probe);
    this.#link.start();
    if (this.#windows === alone) this.lead();
  }

  /** Disconnects. Unsent messages stay in the storage. */
  stop(): void {
    this.#sleep();
    this.#writing.stop();
    this.#link.stop();
    this.store.stop();
    this.#upkeep.stop();
    this.#sender.stop();
    this.#reads.stop();
    this.#deliveries.stop();
    this.presences.stop();
    this.#typists.stop();
  }

  /** Reconnects, or checks that the connection is alive. Happens by itself when a page wakes up. */
  probe = () => this.#link.probe();
  /** Drops the connection and resumes on a new one immediately. */
  reconnect = () => this.#link.reconnect();

  /** Sets the chat on screen, null for none. Reads its history when needed, also after a reset. */
  show = (id: string | null) => this.#upkeep.show(id);

  /** Reads the page before what is shown. */
  older = (id: string) => this.#reads.older(id);

  /** Reads the page after the part of the past that was jumped to. */
  newer = (id: string) => this.#reads.newer(id);

  /** Ensures that the message at `seq` is held, in the history or in a past around it. */
  async jump(id: string, seq: number): Promise<void> {
    const chat = this.#state.chats.get(id);
    if (!chat || holds(chat, seq)) return;
    await this.#reads.around(id, seq);
  }

  /** Returns from the past to the newest messages. */
  latest = (id: string) => this.store.set({ state: leavePast(this.#state, id) });

  /**
   * Queues a message, with files that are uploaded. The outbox and the history show what becomes of
   * it. Whoever gives it a key may call again with the same: it is sent once.
   */
  send = (...message: [chat_id: string, body: string, reply_to?: string, attachments?: readonly File[], key?: string]) => this.#sender.send(...message);

  /** Retries a failed send under the same key, behind messages written since. */
  retry = (key: string) => this.#sender.retry(key);
  /** Discards a failed send; does nothing to one that may still arrive. */
  discard = (key: string) => this.#sender.discard(key);

  /** Replaces a message's text. Rejects with `conflict` unless `version` is the current one. */
  edit = (message_id: string, body: string, version: number) =>
    this.#link.request<{ seq: number; version: number }>('message.edit', { message_id, body, version });
  /** Deletes a message. Deleting it again has the same answer. */
  remove = (message_id: string) => this.#link.request<{ seq: number }>('message.delete', { message_id });
  /** Adds or removes the user's reaction; the answer lacks `seq` if nothing changed. */
  react = (message_id: string, emoji: string, on: boolean) =>
    this.#link.request<{ seq?: number }>(on ? 'reaction.add' : 'reaction.remove', { message_id, emoji });

  /** Call with the unsent text on each change, to show others that the user types. Best effort. */
  typed(chat_id: string, text: string): void {
    if (text === '') this.#writing.stop();
    else this.#writing.goOn(chat_id);
  }

  /** Call when the user sent or left the text. */
  stopTyping = () => this.#writing.stop();

  /** Marks a chat as read up to `seq`, by default up to the last event held. */
  async read(chat_id: string, seq?: number): Promise<void> {
    const chat = this.#state.chats.get(chat_id);
    if (!chat) return;
    const cursor = await this.#link.request<Cursor>('cursor.set', { chat_id, read_seq: seq ?? chat.cursor });
    this.store.set({ state: apply.applyOwnCursor(this.#state, chat_id, cursor) });
  }

  /** Adds a chat learned from a REST answer, without waiting for the server's `chat.joined`. */
  adopt(entry: Entry): void {
    if (!this.#state.chats.has(entry.id)) this.store.set({ state: apply.applyJoined(this.#state, entry) });
    this.#upkeep.tend(entry.id);
  }

  /** Records what the user changed about a chat for themselves, which no event reports. */
  membership(id: string, change: Partial<Membership>): void {
    this.store.set({ state: apply.applyMembership(this.#state, id, change) });
  }

  hello(hello: Hello, replays: boolean): ResumeData {
    // Beside an event stream, commands go by REST and may overtake each other.
    this.#sender.ordered = replays;
    const other = this.#state.epoch !== '' && hello.epoch !== this.#state.epoch;
    const { state, cursors } = apply.beginResume(other && !replays ? apply.forget(this.#state) : this.#state);
    this.store.set({ state, hello });
    return Object.keys(cursors).length > 0 ? { epoch: state.epoch, cursors } : {};
  }

  event(event: ChatEvent): void {
    const before = this.#state;
    const state = apply.applyEvent(before, event);
    this.store.set({ state });
    this.#emitter.applied(before, state);
    this.#sender.settle(ackedByEvent(this.store.get().outbox, event, state.me));
    this.#typists.heard(event);
    this.#deliveries.look(event.chat_id);
    this.#upkeep.look(event.chat_id);
  }

  push(push: Push): void {
    this.#apply(push);
    if (push.op !== 'chats') this.#emitter.emit(push.op, push as never);
  }

  #apply(push: Push): void {
    const state = this.#state;
    switch (push.op) {
      case 'chats':
        return this.store.set({ state: apply.putChats(state, push.d.chats) });
      case 'reset':
        return this.#reset(push.chat_id, push.seq, push.d.reason === 'epoch');
      case 'chat.joined':
        this.store.set({ state: apply.applyJoined(state, push.d.chat) });
        return this.#upkeep.tend(push.d.chat.id);
      case 'chat.left':
        return this.store.set({ state: apply.applyLeft(state, push.d.chat_id, push.d.seq) });
      case 'membership':
        return this.membership(push.chat_id, push.d);
      case 'cursor':
        return this.#cursor(push.chat_id, push.d);
      case 'typing':
        return this.#typists.receive(push.chat_id, push.d.user_ids, push.d.expires_ms);
      case 'presence':
        return this.presences.receive(push.d.users);
    }
  }

  ready(epoch: string): void {
    this.store.set({ state: apply.finishResume(this.#state, epoch) });
    this.#sender.settle();
    this.#upkeep.tendAll();
  }

  lead(): void {
    this.#sender.lead().catch(this.#onError);
  }

  follow = () => this.#sender.follow();
  order = (order: OutboxOrder) => this.#sender.obey(order);
  outbox = (items: Outbox, anew: boolean) => this.#sender.show(items, anew);

  connection(connection: Connection): void {
    this.store.set({ connection });
    this.#emitter.emit('connection', connection);
    this.#sender.pump();
    if (connection.phase === 'offline') this.presences.offline();
    if (connection.phase !== 'online') return;
    this.directory.need([]);
    this.#commands.ready();
    this.presences.ready();
    this.#deliveries.ready();
  }

  get #state() {
    return this.store.get().state;
  }

  /** Applies a reset; one for a new epoch outside a resume makes the leader start a resume. */
  #reset(id: string, seq: number, epoch: boolean): void {
    if (epoch && !this.#state.resume) return this.#windows.leads ? this.#link.reconnect() : undefined;
    this.store.set({ state: apply.applyReset(this.#state, id, seq) });
    this.#upkeep.tend(id);
  }

  #cursor(id: string, cursor: MemberCursor & { unread?: number; mentions?: number }): void {
    const { user_id } = cursor;
    const own = user_id === this.#state.me;
    this.store.set({
      state: own ? apply.applyOwnCursor(this.#state, id, cursor) : applyCursor(this.#state, id, user_id, cursor),
    });
  }

  /** Follows up after a read changed the state. */
  #changed(before: State): void {
    this.#emitter.applied(before, this.#state);
    this.#sender.settle();
    this.#deliveries.lookAtAll();
    this.#upkeep.tend();
  }
}

/** Without other windows, this one sends. */
const alone: Windows = { leads: true, order: () => {}, outbox: () => {} };

const noStorage: OutboxStorage = { load: () => [], save: () => {}, forget: () => {} };
