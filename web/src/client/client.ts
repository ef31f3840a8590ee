import * as apply from './apply';
import { Deliveries } from './deliveries';
import { Directory } from './directory';
import { Emitter, type Events } from './events';
import type { Connection, Link, LinkOwner, ResumeData, Share, SharedOwner } from './link';
import { Optional } from './optional';
import { settledByEvent, type Outbox } from './outbox';
import { holds, leavePast } from './past';
import { Presences } from './presence';
import { applyCursor } from './receipts';
import { Reads } from './reads';
import { Rest } from './rest';
import { Sender, type OutboxOrder, type OutboxStorage, type Windows } from './sender';
import { Socket } from './socket';
import { withChat, type State } from './state';
import { Store } from './store';
import { Typists, Writing } from './typing';
import { Upkeep } from './upkeep';
import { onWake } from './wake';
import type { ChatEvent, Cursor, Entry, Hello, MemberCursor, Push, User } from './types';

export interface ClientOptions {
  /** Whose client this is: the answer of `rest.me()` or of a log-in. */
  user: User;
  /** ws:// or wss://, with the path. */
  socketUrl: string;
  /** Shared with the program; without it, one for the page's own origin. */
  rest?: Rest;
  /** Of a log-in, for programs without a cookie. */
  token?: string;
  /** Where unsent messages outlive the page; without it they do not. */
  storage?: OutboxStorage;
  /** `shareWindows()`, for one connection of all windows of this user in this browser. */
  share?: Share | undefined;
  /** [0, 1), for delays; `Math.random` when not given. */
  random?: () => number;
  /** Told of background reads that failed for good; nobody waits for those. */
  onError?: (err: unknown) => void;
}

/**
 * A logged-in user's view of the server: holds state, connection and outbox together and keeps them
 * true. Knows nothing of any page. One `start`, one `stop`; after `stop` it changes nothing any more. What
 * gives a promise rejects with ProblemError, ConnectionLost or DeadlineExceeded: a command after 10 s at the latest,
 * a read after five attempts of 15 s.
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

  /** Calls `listener` for each event of that name; the answer ends it. */
  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): () => void {
    return name === 'change' ? this.store.subscribe(listener as (snapshot: Events['change']) => void) : this.#emitter.on(name, listener);
  }

  /** Connects, and goes on until `stop` or until the server says for good that it may not. */
  start(): void {
    this.#sleep = onWake(this.probe);
    this.#link.start();
    if (this.#windows === alone) this.lead();
  }

  /** Disconnects. What is unsent stays in the storage. */
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

  /** Comes back at once, or makes sure that the connection lives. A page's own signs of waking up do so by themselves. */
  probe = () => this.#link.probe();
  /** Drops the connection and resumes on a new one at once. */
  reconnect = () => this.#link.reconnect();

  /** Names the chat that is on screen, null for none: its history is read when needed, now and after every reset. */
  show = (id: string | null) => this.#upkeep.show(id);

  /** Reads one more page of the shown chat's past. */
  older = (id: string) => this.#reads.older(id);

  /** Reads one more page after the past that was jumped to. */
  newer = (id: string) => this.#reads.newer(id);

  /** Makes sure that the message at `seq` is held, in the timeline or as part of the past around it. */
  async jump(id: string, seq: number): Promise<void> {
    const chat = this.#state.chats.get(id);
    if (!chat || holds(chat, seq)) return;
    await this.#reads.around(id, seq);
  }

  /** Leaves the past for the newest end. */
  latest = (id: string) => this.store.set({ state: leavePast(this.#state, id) });

  /** Queues a message; what becomes of it is seen in the outbox and the timeline. */
  send(chat_id: string, body: string, reply_to?: string): void {
    this.#sender.send(chat_id, body, reply_to);
  }

  /** Tries a failed send again under the same key, behind what was written since. */
  retry = (key: string) => this.#sender.retry(key);
  /** Gives up on a failed send; one that may still arrive is not discarded. */
  discard = (key: string) => this.#sender.discard(key);

  /** Replaces a message's text, `version` being the one that the person saw; `conflict` when there is a later one. */
  edit = (message_id: string, body: string, version: number) =>
    this.#link.request<{ seq: number; version: number }>('message.edit', { message_id, body, version });
  /** Deletes a message; again, answers the same. */
  remove = (message_id: string) => this.#link.request<{ seq: number }>('message.delete', { message_id });
  /** Adds or takes back one's reaction; without `seq` when nothing changed. */
  react = (message_id: string, emoji: string, on: boolean) =>
    this.#link.request<{ seq?: number }>(on ? 'reaction.add' : 'reaction.remove', { message_id, emoji });

  /** The person changed an unsent text: called for each change, `text` being what there is now. Best effort. */
  typed(chat_id: string, text: string): void {
    if (text === '') this.#writing.stop();
    else this.#writing.goOn(chat_id);
  }

  /** The person sent the text or turned away from it. */
  stopTyping = () => this.#writing.stop();

  /** Marks a chat as read up to what is held. */
  async read(chat_id: string): Promise<void> {
    const chat = this.#state.chats.get(chat_id);
    if (!chat) return;
    const cursor = await this.#link.request<Cursor>('cursor.set', { chat_id, read_seq: chat.cursor });
    this.store.set({ state: apply.applyOwnCursor(this.#state, chat_id, cursor) });
  }

  /** Puts a chat that an answer of this client's own made known; the server tells the same by `chat.joined`. */
  adopt(entry: Entry): void {
    if (!this.#state.chats.has(entry.id)) this.store.set({ state: apply.applyJoined(this.#state, entry) });
    this.#upkeep.tend(entry.id);
  }

  /** Notes that a chat was muted or not: no event tells of it. */
  muted(id: string, muted: boolean): void {
    const chat = this.#state.chats.get(id);
    if (chat) this.store.set({ state: withChat(this.#state, id, { ...chat, entry: { ...chat.entry, muted } }) });
  }

  hello(hello: Hello, replays: boolean): ResumeData {
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
    this.#sender.settle(settledByEvent(this.store.get().outbox, event, state.me));
    this.#typists.heard(event);
    this.#deliveries.look(event.chat_id);
    this.#upkeep.look(event.chat_id);
  }

  push(push: Push): void {
    this.#take(push);
    if (push.op !== 'chats') this.#emitter.emit(push.op, push as never);
  }

  #take(push: Push): void {
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
      case 'cursor':
        return this.#cursor(push.chat_id, push.d);
      case 'typing':
        return this.#typists.take(push.chat_id, push.d.user_ids, push.d.expires_ms);
      case 'presence':
        return this.presences.take(push.d.users);
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
    this.#commands.ready();
    this.presences.ready();
    this.#deliveries.ready();
  }

  get #state() {
    return this.store.get().state;
  }

  /** A reset between resumes for a new epoch: only a resume tells which, so one is made, by the window that leads. */
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

  /** A read has changed what is held. */
  #changed(before: State): void {
    this.#emitter.applied(before, this.#state);
    this.#sender.settle();
    this.#deliveries.lookAtAll();
    this.#upkeep.tend();
  }
}

/** No other windows: this one sends. */
const alone: Windows = { leads: true, order: () => {}, outbox: () => {} };

const noStorage: OutboxStorage = { load: () => [], save: () => {}, forget: () => {} };
