import { Answers } from './answers';
import { ConnectionLost, DeadlineExceeded } from './errors';
import type { Connection, SharedOwner } from './link';
import { errorOf, type FollowerNote, type LeaderNote } from './notes';
import type { Outbox } from './outbox';
import type { Rest } from './rest';
import type { Entry, Hello } from './types';

const answerMs = 10_000;
/** After this much silence, the leading window is assumed frozen. */
const silentMs = 5_000;
const againMs = 1_000;

type Passed = Extract<LeaderNote, { is: 'push' | 'event' | 'ready' | 'connection' }>;

/** A window that uses the leading window's connection as its own. */
export class Follower {
  readonly #me: string;
  readonly #owner: SharedOwner;
  readonly #say: (note: FollowerNote) => void;
  /** Called when the lock is held but the leader is silent. */
  readonly #silent: () => void;
  readonly #answers = new Answers();
  #connection: Connection = { phase: 'connecting' };
  /** Whether this window has everything from before, so that notes can be passed on. */
  #joined = false;
  /** Notes received while joining. */
  #held: Passed[] | null = null;
  /** The leader to listen to: a window that was frozen may still believe that it leads. */
  #leader: string | null = null;
  /** Whether the leader is new: its outbox has not arrived yet. */
  #anew = true;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(me: string, owner: SharedOwner, say: (note: FollowerNote) => void, silent: () => void) {
    this.#me = me;
    this.#owner = owner;
    this.#say = say;
    this.#silent = silent;
  }

  /** Asks to join, which also checks that the leader is alive. */
  start(): void {
    this.#say({ is: 'join', from: this.#me });
    this.#silence ??= setTimeout(this.#silent, silentMs);
  }

  stop(): void {
    this.#joined = false;
    this.#held = null;
    clearTimeout(this.#silence);
    clearTimeout(this.#again);
    this.#answers.lose();
  }

  get online(): boolean {
    return this.#joined && this.#connection.phase === 'online';
  }

  async request<T>(op: string, d: unknown, deadlineMs = answerMs): Promise<T> {
    if (!this.online) throw new ConnectionLost('You are offline.');
    try {
      return await this.#answers.to<T>((id) => this.#say({ is: 'request', from: this.#me, id, op, d }), deadlineMs);
    } catch (err) {
      if (err instanceof DeadlineExceeded) this.start();
      throw err;
    }
  }

  wake(how: 'probe' | 'reconnect'): void {
    this.#say({ is: 'wake', how });
    this.start();
  }

  receive(note: LeaderNote & { by: string; to?: string }): void {
    if (note.to && note.to !== this.#me) return;
    if (note.is === 'lead' || (note.is === 'welcome' && !this.#leader)) this.#leader = note.by;
    if (note.by !== this.#leader) return;
    clearTimeout(this.#silence);
    this.#silence = undefined;
    this.#follow(note);
  }

  #follow(note: LeaderNote): void {
    switch (note.is) {
      case 'lead':
        return void (this.#anew = true);
      case 'welcome':
        return this.#welcomed(note);
      case 'outbox':
        return this.#show(note.items);
      case 'answer':
        return this.#answered(note);
      case 'hello':
        this.#joined = true;
        this.#held = null;
        return void this.#owner.hello(note.hello, false);
      case 'connection':
        this.#connection = note.connection;
        if (note.connection.phase !== 'online') this.#answers.lose();
        else if (!this.#joined) return this.start();
        return this.#pass(note);
      case 'push':
      case 'event':
      case 'ready':
        return this.#pass(note);
    }
  }

  #show(items: Outbox): void {
    this.#owner.outbox(items, this.#anew);
    this.#anew = false;
  }

  #pass(note: Passed): void {
    if (this.#held) this.#held.push(note);
    else if (this.#joined || note.is === 'connection') this.#tell(note);
  }

  #tell(note: Passed): void {
    if (note.is === 'push') this.#owner.push(note.push);
    else if (note.is === 'event') this.#owner.event(note.event);
    else if (note.is === 'ready') this.#owner.ready(note.epoch);
    else this.#owner.connection(note.connection);
  }

  #welcomed({ hello, epoch, connection, items }: Extract<LeaderNote, { is: 'welcome' }>): void {
    this.#connection = connection;
    this.#show(items);
    if (connection.phase === 'online' && hello) void this.#join(hello, epoch);
    else this.#owner.connection(connection);
  }

  /** Reads what happened before this window joined; notes that arrive meanwhile wait. */
  async #join(hello: Hello, epoch: string): Promise<void> {
    if (this.#joined || this.#held) return;
    clearTimeout(this.#again);
    const held: Passed[] = (this.#held = []);
    const chats = await allChats(this.#owner.rest).catch(() => null);
    if (this.#held !== held) return;
    this.#held = null;
    if (!chats) return void (this.#again = setTimeout(() => this.start(), againMs));
    this.#joined = true;
    this.#owner.hello(hello, false);
    this.#owner.push({ op: 'chats', d: { chats } });
    this.#owner.ready(epoch);
    this.#owner.connection(this.#connection);
    for (const note of held) this.#tell(note);
  }

  #answered({ id, d, failed: why }: Extract<LeaderNote, { is: 'answer' }>): void {
    const waiting = this.#answers.claim(id);
    if (why) waiting?.reject(errorOf(why));
    else waiting?.resolve(d);
  }
}

async function allChats(rest: Rest): Promise<Entry[]> {
  const all: Entry[] = [];
  let after: string | undefined;
  do {
    const part = await rest.chats(after);
    all.push(...part.chats);
    after = part.next;
  } while (after);
  return all;
}
