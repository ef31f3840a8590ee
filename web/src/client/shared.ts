import { Follower } from './follower';
import { Leader } from './leader';
import type { Link, LinkOwner, Share, SharedOwner, Windows } from './link';
import { notesVersion, type Note } from './notes';
import type { Outbox, OutboxOrder } from './outbox';

/**
 * The `share` option of a client: one connection for all windows of a user. Undefined in a browser
 * without locks, such as on a page served over plain HTTP from another machine.
 */
export function shareWindows(): Share | undefined {
  if (!('BroadcastChannel' in globalThis) || !globalThis.navigator?.locks) return undefined;
  return (name, connect, owner) => new SharedLink(`${name}.${notesVersion}`, connect, owner);
}

/**
 * One connection for all windows of a user. The window that gets the lock holds the connection; the
 * others follow. When it closes, the next one takes over from its own cursors. When it is frozen,
 * as browsers do to background pages, a window that notices steals the lock, and the frozen one
 * follows when it wakes up.
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
    this.#channel.onmessage = ({ data }) => this.#receive(data as Note);
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
    // Held as long as the window lives: its release tells the leader that the window closed.
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

  /** Queues for the lock, and follows until it is granted. */
  #follow(): void {
    const { signal } = this.#turn();
    void this.#lock({ signal }, signal);
    this.#follower.start();
  }

  /** Steals the lock from a leader that is silent. */
  #takeOver(): void {
    void this.#lock({ steal: true }, this.#turn().signal);
  }

  /** Cancels any earlier wait for the lock. */
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
      // Locks are refused, as in a sandboxed frame: use a connection of our own.
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

  /** Follows, because another window stole the lock. */
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

  #receive(note: Note): void {
    if (!('by' in note)) this.#leader?.receive(note);
    else if (!this.#leader) this.#follower.receive(note);
  }

  #mourn = (window: string, gone: () => void): void => {
    void navigator.locks.request(`${this.#name}.${window}`, { signal: this.#queued.signal }, gone).catch(() => {});
  };

  #untilEnd(): Promise<void> {
    const { signal } = this.#ending;
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
  }
}
