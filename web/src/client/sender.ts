import { fullJitter } from './backoff';
import { ConnectionLost, isPassing } from './errors';
import { newKey } from './key';
import type { Link } from './link';
import * as outbox from './outbox';
import type { Pending } from './outbox';
import type { Store } from './store';
import type { Sent } from './types';

const backoff = { baseMs: 500, capMs: 15_000 };
/** A storage that says nothing for so long is not waited for. */
const loadMs = 5_000;

/** Keeps unsent messages over a reload of the page. A copy elsewhere does no harm: keys are stored once. */
export interface OutboxStorage {
  /** All that is kept. Called once, and again whenever this window begins to send for others. */
  load(): outbox.Draft[] | Promise<outbox.Draft[]>;
  /** Keeps one, in place of what was kept under its key. Must not throw. */
  save(draft: outbox.Draft): void;
  /** Must not throw, and does nothing for a key that is not kept. */
  forget(key: string): void;
}

/** What a person asked of the outbox, for the window that sends. */
export type OutboxOrder = { readonly do: 'send'; readonly draft: outbox.Draft } | { readonly do: 'retry' | 'discard'; readonly key: string };

/** The other windows of the same user. */
export interface Windows {
  /** Whether this one sends; the others show what it does. */
  readonly leads: boolean;
  order(order: OutboxOrder): void;
  outbox(items: outbox.Outbox): void;
}

/** Moves the outbox: starts what can start, and writes down what became of it. */
export class Sender {
  readonly #store: Store;
  readonly #link: Link;
  readonly #storage: OutboxStorage;
  readonly #windows: Windows;
  readonly #random: () => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Written here and not yet seen in the outbox of the window that sends. */
  #unseen: outbox.Outbox = [];
  /** Whether this window sends: it leads, and knows what was kept, which goes out before what is written now. */
  #sends = false;

  constructor(store: Store, link: Link, storage: OutboxStorage, windows: Windows, random: () => number = Math.random) {
    this.#store = store;
    this.#link = link;
    this.#storage = storage;
    this.#windows = windows;
    this.#random = random;
  }

  /** This window sends from now on: what was written before, here or in windows that are gone, goes out. */
  async lead(): Promise<void> {
    this.#unseen = [];
    this.#timer = setTimeout(() => this.#goOn(), loadMs);
    const drafts = await this.#storage.load();
    this.#put(outbox.restored(this.#items, drafts));
    this.#goOn();
  }

  /** Another window sends from now on, and may not know of what is written here. */
  follow(): void {
    clearTimeout(this.#timer);
    this.#sends = false;
    this.#unseen = this.#items.filter(({ status }) => status !== 'acked');
  }

  send(chat_id: string, body: string, reply_to?: string): void {
    const written_at = outbox.writtenAt(this.#items, Date.now());
    const draft = { key: newKey(), chat_id, body, written_at, ...(reply_to && { reply_to }) };
    this.#storage.save(draft);
    this.#run({ do: 'send', draft });
  }

  retry = (key: string): void => this.#run({ do: 'retry', key });
  discard = (key: string): void => this.#run({ do: 'discard', key });

  /** An order from here or from another window. */
  obey(order: OutboxOrder): void {
    if (order.do === 'send') this.#change(outbox.enqueue(this.#items, order.draft));
    else if (order.do === 'retry') this.#retryNow(order.key);
    else this.#change(outbox.discarded(this.#items, order.key));
  }

  /** The outbox of the window that sends. One that is new may not have heard what was said while nobody led. */
  show(items: outbox.Outbox, anew: boolean): void {
    const keys = new Set(items.map(({ key }) => key));
    this.#unseen = this.#unseen.filter(({ key }) => !keys.has(key));
    this.#store.set({ outbox: [...items, ...this.#unseen] });
    if (anew) for (const item of this.#unseen) this.#windows.order({ do: 'send', draft: outbox.draftOf(item) });
  }

  /** Drops what the state shows already; `next` is the outbox after an event settled its item. */
  settle(next: outbox.Outbox = this.#items): void {
    const { chats } = this.#store.get().state;
    this.#change(outbox.settledByCursor(next, (id) => chats.get(id)?.cursor));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Starts whatever can start now; called on every change and whenever the connection is ready. */
  pump(): void {
    if (!this.#sends || !this.#link.online) return;
    const now = performance.now();
    for (const item of outbox.startable(this.#items, now)) void this.#attempt(item);
    clearTimeout(this.#timer);
    const due = outbox.nextDue(this.#items, now);
    if (due !== null) this.#timer = setTimeout(() => this.pump(), due - now);
  }

  #goOn(): void {
    this.#sends = true;
    this.pump();
  }

  #retryNow(key: string): void {
    this.#change(outbox.retried(this.#items, key));
    this.#keep(key);
  }

  #keep(key: string): void {
    const item = this.#items.find((p) => p.key === key);
    if (item) this.#storage.save(outbox.draftOf(item));
  }

  #run(order: OutboxOrder): void {
    this.obey(order);
    if (this.#windows.leads) return;
    if (order.do === 'send') this.#unseen = outbox.enqueue(this.#unseen, order.draft);
    this.#windows.order(order);
  }

  async #attempt({ key, chat_id, body, reply_to, attempts }: Pending): Promise<void> {
    this.#put(outbox.started(this.#items, key));
    try {
      const sent = await this.#link.request<Sent>('message.send', { chat_id, key, body, ...(reply_to && { reply_to }) });
      this.settle(outbox.acked(this.#items, key, sent));
    } catch (err) {
      const [now, delay] = [performance.now(), this.#delay(err, attempts)];
      // By REST an attempt may fail before the stream is known to be gone.
      if (err instanceof ConnectionLost) return this.#change(outbox.interrupted(this.#items, key, this.#link.online ? now + delay : 0));
      this.#change(outbox.refused(this.#items, key, err, now, delay));
      // A reload does not try again what a person was told to have failed.
      if (!isPassing(err)) this.#keep(key);
    }
  }

  #delay(err: unknown, attempts: number): number {
    const told = (err as { retryAfterMs?: number }).retryAfterMs ?? 0;
    return told + fullJitter(attempts, { ...backoff, random: this.#random });
  }

  get #items(): outbox.Outbox {
    return this.#store.get().outbox;
  }

  #change(next: outbox.Outbox): void {
    const before = this.#items;
    if (next !== before) {
      const kept = new Set(next.map((p) => p.key));
      for (const { key } of before) if (!kept.has(key)) this.#storage.forget(key);
      this.#unseen = this.#unseen.filter(({ key }) => kept.has(key));
      this.#put(next);
    }
    this.pump();
  }

  #put(next: outbox.Outbox): void {
    this.#store.set({ outbox: next });
    if (this.#windows.leads) this.#windows.outbox(next);
  }
}
