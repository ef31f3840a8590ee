import { Follower } from './follower';
import { Leader } from './leader';
import type { Link, LinkOwner, Share, SharedOwner } from './link';
import { notesVersion, type Note } from './notes';
import type { Outbox } from './outbox';
import type { OutboxOrder, Windows } from './sender';

/**
 * One connection for all windows of a user, for `share` of a client; undefined where the browser has no
 * locks: on a page that came by plain HTTP from another machine.
 */
export function shareWindows(): Share | undefined {
  if (!('BroadcastChannel' in globalThis) || !globalThis.navigator?.locks) return undefined;
  return (name, connect, owner) => new SharedLink(`${name}.${notesVersion}`, connect, owner);
}

/**
 * One connection for all windows of a user. The window that gets the lock holds the connection; the others
 * follow. When it goes, the next one takes over, from its own cursors; when it is frozen (a browser does so
 * to a page in the background), one that notices takes the lock from it, and it follows when it wakes up.
 */
class SharedLink implements Link, Windows {
  readonly #name: string;
  readonly #connect: (owner: LinkOwner) => Link;
  readonly #owner: SharedOwner;
  readonly #me = crypto.randomUUID();
  readonly #channel: BroadcastChannel;
  readonly #ending = new AbortController();
  #queued = new AbortController();
  #leader: Leader | null = null;
  #follower: Follower;
  #release: (() => void) | undefined;

  constructor(name: string, connect: (owner: LinkOwner) => Link, owner: SharedOwner) {
    this.#name = name;
    this.#connect = connect;
    this.#owner = owner;
    this.#channel = new BroadcastChannel(name);
    this.#channel.onmessage = ({ data }) => this.#take(data as Note);
    this.#follower = this.#following();
  }

  get leads(): boolean {
    return this.#leader !== null;
  }

  get online(): boolean {
    return this.#leader?.link.online ?? this.#follower.online;
  }

  start(): void {
    const { signal } = this.#ending;
    // Held for as long as the window lives: by it the one that leads learns of its end.
    void navigator.locks.request(`${this.#name}.${this.#me}`, { signal }, () => this.#untilEnd()).catch(() => {});
    this.#follow();
  }

  stop(): void {
    this.#ending.abort();
    this.#queued.abort();
    this.#release?.();
    this.#follower.stop();
    this.#leader?.link.stop();
    this.#channel.close();
  }

  request<T>(op: string, d: unknown, deadlineMs?: number): Promise<T> {
    if (this.#leader) return this.#leader.request(this.#me, op, d, deadlineMs) as Promise<T>;
    return this.#follower.request(op, d, deadlineMs);
  }

  probe = (): void => this.#wake('probe');
  reconnect = (): void => this.#wake('reconnect');

  order(order: OutboxOrder): void {
    this.#say({ is: 'order', order });
  }

  outbox(items: Outbox): void {
    this.#leader?.outbox(items);
  }

  #wake(how: 'probe' | 'reconnect'): void {
    if (this.#leader) this.#leader.link[how]();
    else this.#follower.wake(how);
  }

  /** Waits in line to lead, and follows until then. */
  #follow(): void {
    const { signal } = this.#turn();
    void this.#lock({ signal }, signal);
    this.#follower.start();
  }

  /** Whoever holds the lock says nothing: it is taken away. */
  #takeOver(): void {
    void this.#lock({ steal: true }, this.#turn().signal);
  }

  /** What was waited for before is not any more. */
  #turn(): AbortController {
    this.#queued.abort();
    return (this.#queued = new AbortController());
  }

  async #lock(options: LockOptions, turn: AbortSignal): Promise<void> {
    try {
      await navigator.locks.request(this.#name, options, () => (turn.aborted ? undefined : this.#lead()));
    } catch (err) {
      if (this.#ending.signal.aborted || turn.aborted) return;
      if ((err as Error).name === 'AbortError') return this.#stepDown();
      if (this.#leader) throw err;
      // Refused, as in a sandboxed frame: a connection of its own.
      void this.#lead();
    }
  }

  #lead(): Promise<void> {
    this.#follower.stop();
    const by = crypto.randomUUID();
    this.#leader = new Leader(this.#me, this.#connect, this.#owner, (note) => this.#say({ ...note, by }), this.#mourn);
    this.#leader.start();
    return new Promise((resolve) => (this.#release = resolve));
  }

  /** Another window has the lock now. */
  #stepDown(): void {
    const leader = this.#leader;
    this.#leader = null;
    leader?.link.stop();
    this.#owner.follow();
    this.#follower.stop();
    this.#follower = this.#following();
    this.#follow();
  }

  #following(): Follower {
    return new Follower(this.#me, this.#owner, (note) => this.#say(note), () => this.#takeOver());
  }

  #say(note: Note): void {
    if (!this.#ending.signal.aborted) this.#channel.postMessage(note);
  }

  #take(note: Note): void {
    if (!('by' in note)) this.#leader?.take(note);
    else if (!this.#leader) this.#follower.take(note);
  }

  #mourn = (window: string, gone: () => void): void => {
    void navigator.locks.request(`${this.#name}.${window}`, { signal: this.#queued.signal }, gone).catch(() => {});
  };

  #untilEnd(): Promise<void> {
    const { signal } = this.#ending;
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
  }
}
