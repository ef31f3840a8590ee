import { fullJitter } from './backoff';
import { ConnectionLost } from './errors';
import type { Link } from './link';
import * as outbox from './outbox';
import type { Pending } from './outbox';
import type { Store } from './store';
import type { Sent } from './types';

const backoff = { baseMs: 500, capMs: 15_000 };

/** Keeps unsent messages over a reload of the page. A copy elsewhere does no harm: keys are stored once. */
export interface OutboxStorage {
  load(): outbox.Draft[] | Promise<outbox.Draft[]>;
  save(draft: outbox.Draft): void;
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
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Written here and not yet seen in the outbox of the window that sends. */
  private unseen: outbox.Outbox = [];

  constructor(
    private readonly store: Store,
    private readonly link: Link,
    private readonly storage: OutboxStorage,
    private readonly windows: Windows,
    private readonly random: () => number = Math.random,
  ) {}

  /** This window sends from now on: what was written before, here or in windows that are gone, goes out. */
  async lead(): Promise<void> {
    this.unseen = [];
    const drafts = await this.storage.load();
    this.change(outbox.restored(this.items, drafts));
  }

  send(draft: outbox.Draft): void {
    this.storage.save(draft);
    this.run({ do: 'send', draft });
  }

  retry = (key: string): void => this.run({ do: 'retry', key });
  discard = (key: string): void => this.run({ do: 'discard', key });

  /** An order from here or from another window. */
  obey(order: OutboxOrder): void {
    if (order.do === 'send') this.change(outbox.enqueue(this.items, order.draft));
    else if (order.do === 'retry') this.change(outbox.retried(this.items, order.key));
    else this.change(outbox.discarded(this.items, order.key));
  }

  /** The outbox of the window that sends. */
  show(items: outbox.Outbox): void {
    const keys = new Set(items.map(({ key }) => key));
    this.unseen = this.unseen.filter(({ key }) => !keys.has(key));
    this.store.set({ outbox: [...items, ...this.unseen] });
  }

  /** Drops what the state shows already; `next` is the outbox after an event settled its item. */
  settle(next: outbox.Outbox = this.items): void {
    const { chats } = this.store.get().state;
    this.change(outbox.settledByCursor(next, (id) => chats.get(id)?.cursor));
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  /** Starts whatever can start now; called on every change and whenever the connection is ready. */
  pump(): void {
    if (!this.link.online || !this.windows.leads) return;
    const now = Date.now();
    for (const item of outbox.startable(this.items, now)) void this.attempt(item);
    clearTimeout(this.timer);
    const due = outbox.nextDue(this.items, now);
    if (due !== null) this.timer = setTimeout(() => this.pump(), due - now);
  }

  private run(order: OutboxOrder): void {
    this.obey(order);
    if (this.windows.leads) return;
    if (order.do === 'send') this.unseen = outbox.enqueue(this.unseen, order.draft);
    this.windows.order(order);
  }

  private async attempt({ key, chat_id, body, reply_to, attempts }: Pending): Promise<void> {
    this.put(outbox.started(this.items, key));
    try {
      const sent = await this.link.request<Sent>('message.send', { chat_id, key, body, ...(reply_to && { reply_to }) });
      this.settle(outbox.acked(this.items, key, sent));
    } catch (err) {
      const [now, delay] = [Date.now(), this.delay(err, attempts)];
      // By REST an attempt may fail before the stream is known to be gone.
      if (err instanceof ConnectionLost) return this.change(outbox.interrupted(this.items, key, this.link.online ? now + delay : 0));
      this.change(outbox.refused(this.items, key, err, now, delay));
    }
  }

  private delay(err: unknown, attempts: number): number {
    const told = (err as { retryAfterMs?: number }).retryAfterMs ?? 0;
    return told + fullJitter(attempts, { ...backoff, random: this.random });
  }

  private get items(): outbox.Outbox {
    return this.store.get().outbox;
  }

  private change(next: outbox.Outbox): void {
    const before = this.items;
    if (next !== before) {
      const kept = new Set(next.map((p) => p.key));
      for (const { key } of before) if (!kept.has(key)) this.storage.forget(key);
      this.unseen = this.unseen.filter(({ key }) => kept.has(key));
      this.put(next);
    }
    this.pump();
  }

  private put(next: outbox.Outbox): void {
    this.store.set({ outbox: next });
    if (this.windows.leads) this.windows.outbox(next);
  }
}
