import { fullJitter, patience } from './backoff';
import { isPassing, type ProblemError } from './errors';
import { newKey } from './key';
import type { Link, Windows } from './link';
import * as outbox from './outbox';
import type { OutboxOrder, OutboxStorage, Pending } from './outbox';
import type { Store } from './store';
import type { File, Sent } from './types';

/** How long to wait for the storage before sending without it. */
const loadMs = 5_000;

/** Works through the outbox: starts the sends that can start and records their outcome. */
export class Sender {
  readonly #store: Store;
  readonly #link: Link;
  readonly #storage: OutboxStorage;
  readonly #windows: Windows;
  readonly #random: () => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Messages written here that the leading window's outbox does not show yet. */
  #unseen: outbox.Outbox = [];
  /** How many sends may be in flight: behind one that is refused for a moment, another may be stored. */
  #window = 1;
  /** Whether the connection takes commands in their order, also while earlier ones are unanswered. */
  ordered = false;
  /** Whether this window sends: it leads and has loaded the kept drafts, which go out first. */
  #sends = false;

  constructor(store: Store, link: Link, storage: OutboxStorage, windows: Windows, random: () => number = Math.random) {
    this.#store = store;
    this.#link = link;
    this.#storage = storage;
    this.#windows = windows;
    this.#random = random;
  }

  /** Starts sending from this window, beginning with earlier drafts, also of closed windows. */
  async lead(): Promise<void> {
    this.#unseen = [];
    this.#timer = setTimeout(() => this.#goOn(), loadMs);
    const drafts = await this.#storage.load();
    this.#put(outbox.restored(this.#items, drafts));
    this.#goOn();
  }

  /** Stops sending: another window leads, and may not know what was written here. */
  follow(): void {
    clearTimeout(this.#timer);
    this.#sends = false;
    this.#unseen = this.#items.filter(({ status }) => status !== 'acked');
  }

  send(chat_id: string, body: string, reply_to?: string, attachments?: readonly File[], key = newKey()): void {
    const written_at = outbox.writtenAt(this.#items, Date.now());
    const draft = { key, chat_id, body, reply_to, attachments, written_at };
    this.#storage.save(draft);
    this.#run({ do: 'send', draft });
  }

  retry = (key: string): void => this.#run({ do: 'retry', key });
  discard = (key: string): void => this.#run({ do: 'discard', key });

  /** Carries out an order from this or another window. */
  obey(order: OutboxOrder): void {
    if (order.do === 'send') this.#change(outbox.enqueue(this.#items, order.draft));
    else this.#change((order.do === 'retry' ? outbox.retried : outbox.discarded)(this.#items, order.key));
  }

  /** Shows the leader's outbox. A new leader may have missed orders given while nobody led. */
  show(items: outbox.Outbox, anew: boolean): void {
    const keys = new Set(items.map(({ key }) => key));
    this.#unseen = this.#unseen.filter(({ key }) => !keys.has(key));
    this.#store.set({ outbox: [...items, ...this.#unseen] });
    if (anew) for (const item of this.#unseen) this.#windows.order({ do: 'send', draft: outbox.draftOf(item) });
  }

  /** Drops sends that the state already shows, from `next`: the outbox after an event. */
  settle(next: outbox.Outbox = this.#items): void {
    const { chats } = this.#store.get().state;
    this.#change(outbox.settledByCursor(next, (id) => chats.get(id)?.cursor));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** Starts every send that can start. Called on each change and when the connection is ready. */
  pump(): void {
    if (!this.#sends || !this.#link.online) return;
    const now = performance.now();
    for (const item of outbox.startable(this.#items, now, this.ordered ? this.#window : 1)) void this.#attempt(item);
    clearTimeout(this.#timer);
    const due = outbox.nextDue(this.#items, now);
    if (due < Infinity) this.#timer = setTimeout(() => this.pump(), due - now);
  }

  #goOn(): void {
    this.#sends = true;
    this.pump();
  }

  #run(order: OutboxOrder): void {
    this.obey(order);
    if (this.#windows.leads) return;
    if (order.do === 'send') this.#unseen = outbox.enqueue(this.#unseen, order.draft);
    this.#windows.order(order);
  }

  async #attempt({ key, chat_id, body, reply_to, attachments, attempts }: Pending): Promise<void> {
    this.#put(outbox.started(this.#items, key));
    try {
      const sent = await this.#link.request<Sent>('message.send', { chat_id, key, body, reply_to, attachments: attachments?.map(({ id }) => id) });
      if (!attempts) this.#window = Math.min(this.#window + 1, outbox.widest);
      this.settle(outbox.acked(this.#items, key, sent));
    } catch (err) {
      if (isPassing(err)) this.#window = 1;
      const delay = ((err as Partial<ProblemError>).retryAfterMs ?? 0) + fullJitter(attempts, { ...patience, random: this.#random });
      this.#change(outbox.refused(this.#items, key, err, performance.now() + delay));
    }
  }

  get #items(): outbox.Outbox {
    return this.#store.get().outbox;
  }

  #change(next: outbox.Outbox): void {
    const before = this.#items;
    if (next !== before) {
      const kept = new Set(next.map((p) => p.key));
      for (const { key } of before) if (!kept.has(key)) this.#storage.forget(key);
      // After a reload, a send that the user saw fail is not retried.
      for (const item of next) if (item.status === 'failed' && !before.includes(item)) this.#storage.save(outbox.draftOf(item));
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
