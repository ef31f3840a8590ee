import { applyOwnCursor } from './apply';
import type { Link, Windows } from './link';
import type { ChatState } from './state';
import type { Store } from './store';
import type { Cursor } from './types';

/** A chat on screen is marked as read within this time, which says more. */
const soonMs = 500;
const everyMs = 1_000;
/** Paces the acknowledgements after a resume of many chats, to leave room for other commands. */
const spacingMs = 50;

/**
 * Acknowledges delivery of others' messages, on screen or not: at most once a second per chat, and
 * only in chats small enough for receipts. A message is acknowledged once per connection; the next
 * message or connection makes up for a failed attempt. Among several windows, the leading one does
 * this for all.
 */
export class Deliveries {
  readonly #store: Store;
  readonly #link: Link;
  readonly #windows: Windows;
  readonly #waiting = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #told = new Map<string, number>();

  constructor(store: Store, link: Link, windows: Windows) {
    this.#store = store;
    this.#link = link;
    this.#windows = windows;
  }

  ready(): void {
    this.#told.clear();
    this.lookAtAll();
  }

  lookAtAll(): void {
    for (const id of this.#store.get().state.chats.keys()) this.look(id);
  }

  /** Acknowledges soon if the chat holds something the server does not know to be delivered. */
  look(id: string): void {
    if (this.#waiting.has(id) || !this.#owed(id)) return;
    this.#wait(id, soonMs + spacingMs * this.#waiting.size, () => void this.#tell(id));
  }

  stop(): void {
    for (const timer of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
  }

  #wait(id: string, ms: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#waiting.delete(id);
      then();
    }, ms);
    this.#waiting.set(id, timer);
  }

  /** The chat, if its newest message is unacknowledged; an own one implies that all is read. */
  #owed(id: string): ChatState | null {
    const { state, hello } = this.#store.get();
    const chat = state.chats.get(id);
    const last = chat?.entry.last_message;
    if (!this.#windows.leads || !chat || !last || last.sender_id === state.me || last.seq > chat.cursor) return null;
    if (last.seq <= Math.max(chat.entry.delivered_seq, this.#told.get(id) ?? 0)) return null;
    return chat.entry.member_count <= (hello?.limits?.receipts_members ?? 0) ? chat : null;
  }

  async #tell(id: string): Promise<void> {
    const chat = this.#owed(id);
    if (!chat || !this.#link.online) return;
    this.#told.set(id, chat.cursor);
    this.#wait(id, everyMs, () => this.look(id));
    try {
      const cursor = await this.#link.request<Cursor>('cursor.set', { chat_id: id, delivered_seq: chat.cursor });
      this.#store.set({ state: applyOwnCursor(this.#store.get().state, id, cursor) });
    } catch {
      // Best effort: the next message or connection makes up for it.
    }
  }
}
