import { fullJitter } from './backoff';
import { ConnectionLost } from './errors';
import * as outbox from './outbox';
import type { Pending } from './outbox';
import type { Socket } from './socket';
import type { Store } from './store';
import type { Sent } from './types';

const backoff = { baseMs: 500, capMs: 15_000 };

/** Keeps unsent messages over a reload of the page. A copy in another window does no harm: keys are stored once. */
export interface OutboxStorage {
  load(): outbox.Draft[];
  save(draft: outbox.Draft): void;
  forget(key: string): void;
}

/** Moves the outbox: starts what can start, and writes down what became of it. */
export class Sender {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly store: Store,
    private readonly socket: Socket,
    private readonly storage: OutboxStorage,
    private readonly random: () => number = Math.random,
  ) {
    store.set({ outbox: storage.load().reduce(outbox.enqueue, store.get().outbox) });
  }

  send(draft: outbox.Draft): void {
    this.storage.save(draft);
    this.change(outbox.enqueue(this.items, draft));
  }

  retry(key: string): void {
    this.change(outbox.retried(this.items, key));
  }

  discard(key: string): void {
    this.change(outbox.discarded(this.items, key));
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
    if (!this.socket.online) return;
    const now = Date.now();
    for (const item of outbox.startable(this.items, now)) void this.attempt(item);
    clearTimeout(this.timer);
    const due = outbox.nextDue(this.items, now);
    if (due !== null) this.timer = setTimeout(() => this.pump(), due - now);
  }

  private async attempt({ key, chat_id, body, reply_to, attempts }: Pending): Promise<void> {
    this.store.set({ outbox: outbox.started(this.items, key) });
    try {
      const sent = await this.socket.request<Sent>('message.send', { chat_id, key, body, ...(reply_to && { reply_to }) });
      this.settle(outbox.acked(this.items, key, sent));
    } catch (err) {
      if (err instanceof ConnectionLost) return this.change(outbox.interrupted(this.items, key));
      this.change(outbox.refused(this.items, key, err, Date.now(), this.delay(err, attempts)));
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
      this.store.set({ outbox: next });
    }
    this.pump();
  }
}
