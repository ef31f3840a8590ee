import * as apply from './apply';
import { Directory } from './directory';
import { ProblemError } from './errors';
import { trimTimeline } from './history';
import { newKey } from './key';
import { settledByEvent } from './outbox';
import { Reads } from './reads';
import { Rest } from './rest';
import { Sender, type OutboxStorage } from './sender';
import { Socket, type Connection, type ResumeData, type SocketOwner } from './socket';
import { Store } from './store';
import type { ChatEvent, Cursor, Entry, Hello, Push, User } from './types';

const keepLines = 100;

export interface ClientOptions {
  user: User;
  /** ws:// or wss://, with the path. */
  socketUrl: string;
  rest?: Rest;
  token?: string;
  storage?: OutboxStorage;
  random?: () => number;
  /** Told of background reads that failed for good; nobody waits for those. */
  onError?: (err: unknown) => void;
}

/**
 * A logged-in user's view of the server: holds state, connection and outbox together and keeps them
 * true. Knows nothing of any page. One `start`, one `stop`; after `stop` it changes nothing any more.
 */
export class Client implements SocketOwner {
  readonly store: Store;
  readonly rest: Rest;
  readonly directory: Directory;
  private readonly socket: Socket;
  private readonly sender: Sender;
  private readonly reads: Reads;
  private shown: string | null = null;
  private tellsTyping = true;
  private readonly onError: (err: unknown) => void;

  constructor(options: ClientOptions) {
    const { user, socketUrl: url, token, random } = options;
    this.onError = options.onError ?? (() => {});
    this.store = new Store(user.id);
    this.rest = options.rest ?? new Rest('', token);
    this.directory = new Directory(this.store, this.rest);
    this.directory.learn([user]);
    this.socket = new Socket({ url, owner: this, ...(token && { token }), ...(random && { random }) });
    this.sender = new Sender(this.store, this.socket, options.storage ?? noStorage, random);
    this.reads = new Reads(this.store, this.rest, () => this.sender.settle());
  }

  start(): void {
    this.socket.start();
  }

  stop(): void {
    this.socket.stop();
    this.sender.stop();
    this.reads.stop();
  }

  /** See Socket.probe. */
  probe = () => this.socket.probe();
  reconnect = () => this.socket.reconnect();

  /** Names the chat that is on screen: its history is read when needed, now and after every reset. */
  show(id: string | null): void {
    const before = this.shown;
    this.shown = id;
    if (before && before !== id) this.store.set({ state: trimTimeline(this.state, before, keepLines) });
    this.tend(id);
  }

  /** Reads one more page of the shown chat's past. */
  older = (id: string) => this.reads.older(id);

  /** Queues a message; what becomes of it is seen in the outbox and the timeline. */
  send(chat_id: string, body: string, reply_to?: string): void {
    this.sender.send({ key: newKey(), chat_id, body, written_at: Date.now(), ...(reply_to && { reply_to }) });
  }

  retry = (key: string) => this.sender.retry(key);
  discard = (key: string) => this.sender.discard(key);

  edit = (message_id: string, body: string, version: number) =>
    this.socket.request<{ seq: number; version: number }>('message.edit', { message_id, body, version });
  remove = (message_id: string) => this.socket.request<{ seq: number }>('message.delete', { message_id });
  react = (message_id: string, emoji: string, on: boolean) =>
    this.socket.request<{ seq?: number }>(on ? 'reaction.add' : 'reaction.remove', { message_id, emoji });

  /** Tells that the person is typing. Best effort; given up for good when the server does not know it. */
  async typing(chat_id: string, typing: boolean): Promise<void> {
    if (!this.tellsTyping) return;
    try {
      await this.socket.request('typing.set', { chat_id, typing });
    } catch (err) {
      this.tellsTyping = !(err instanceof ProblemError && err.code === 'bad_request');
    }
  }

  /** Marks a chat as read up to what is held. */
  async read(chat_id: string): Promise<void> {
    const chat = this.state.chats.get(chat_id);
    if (!chat) return;
    const cursor = await this.socket.request<Cursor>('cursor.set', { chat_id, read_seq: chat.cursor });
    this.store.set({ state: apply.applyOwnCursor(this.state, chat_id, cursor) });
  }

  /** Puts a chat that an answer of this client's own made known; the server tells the same by `chat.joined`. */
  adopt(entry: Entry): void {
    if (!this.state.chats.has(entry.id)) this.store.set({ state: apply.applyJoined(this.state, entry) });
    this.tend(entry.id);
  }

  hello(hello: Hello): ResumeData {
    const { state, cursors } = apply.beginResume(this.state);
    this.store.set({ state, hello });
    return Object.keys(cursors).length > 0 ? { epoch: state.epoch, cursors } : {};
  }

  event(event: ChatEvent): void {
    const state = apply.applyEvent(this.state, event);
    this.store.set({ state });
    this.sender.settle(settledByEvent(this.store.get().outbox, event, state.me));
    this.tend(event.chat_id);
  }

  push(push: Push): void {
    const { state } = this;
    switch (push.op) {
      case 'chats':
        return this.store.set({ state: apply.putChats(state, push.d.chats) });
      case 'reset':
        return this.reset(push.chat_id, push.seq, push.d.reason === 'epoch');
      case 'chat.joined':
        this.store.set({ state: apply.applyJoined(state, push.d.chat) });
        return this.tend(push.d.chat.id);
      case 'chat.left':
        return this.store.set({ state: apply.applyLeft(state, push.d.chat_id, push.d.seq) });
      case 'cursor':
        if (push.d.user_id !== state.me) return;
        return this.store.set({ state: apply.applyOwnCursor(state, push.chat_id, push.d) });
      case 'typing': {
        const until = Date.now() + push.d.expires_ms;
        const typing = new Map(this.store.get().typing).set(push.chat_id, { user_ids: push.d.user_ids, until });
        return this.store.set({ typing });
      }
    }
  }

  ready(epoch: string): void {
    this.store.set({ state: apply.finishResume(this.state, epoch) });
    this.sender.settle();
    for (const id of this.state.chats.keys()) this.tend(id);
  }

  connection(connection: Connection): void {
    this.store.set({ connection });
    this.sender.pump();
  }

  private get state() {
    return this.store.get().state;
  }

  /** A reset between resumes for a new epoch: only a resume tells which, so one is made. */
  private reset(id: string, seq: number, epoch: boolean): void {
    if (epoch && !this.state.resume) return this.socket.reconnect();
    this.store.set({ state: apply.applyReset(this.state, id, seq) });
    this.tend(id);
  }

  /** Starts the reads that a chat is in want of. */
  private tend(id: string | null): void {
    const chat = id ? this.state.chats.get(id) : undefined;
    if (!id || !chat) return;
    if (chat.ahead.length > 0) this.background(this.reads.hole(id));
    if (chat.entryStale) this.background(this.reads.entry(id));
    if (id === this.shown && (!chat.timeline || chat.stale)) this.background(this.reads.newest(id));
  }

  private background(read: Promise<void>): void {
    read.catch(this.onError);
  }
}

const noStorage: OutboxStorage = { load: () => [], save: () => {}, forget: () => {} };
