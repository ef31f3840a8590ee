import type { Optional } from './optional';
import type { Store } from './store';
import type { ChatEvent, KnownEvent } from './types';

const againMs = 3_000;
const idleMs = 5_000;

type Timer = ReturnType<typeof setTimeout>;

/** Tells the server that the user is typing, every 3 s while it lasts, and when it is over. */
export class Writing {
  readonly #commands: Optional;
  #chat: string | null = null;
  #toldAt = 0;
  #idle: Timer | undefined;

  constructor(commands: Optional) {
    this.#commands = commands;
  }

  /** Call when the user changed the text and it is not empty. */
  goOn(chat_id: string): void {
    if (this.#chat !== chat_id) this.stop();
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.stop(), idleMs);
    const now = performance.now();
    if (this.#chat && now - this.#toldAt < againMs) return;
    this.#chat = chat_id;
    this.#toldAt = now;
    this.#commands.tell('typing.set', { chat_id, typing: true });
  }

  /** Call when the text was sent, emptied or abandoned. */
  stop(): void {
    clearTimeout(this.#idle);
    if (this.#chat) this.#commands.tell('typing.set', { chat_id: this.#chat, typing: false });
    this.#chat = null;
  }
}

/** Shows who is typing, for as long as the server says. */
export class Typists {
  readonly #store: Store;
  readonly #timers = new Map<string, Timer>();

  constructor(store: Store) {
    this.#store = store;
  }

  receive(chatId: string, users: readonly string[], expiresMs: number): void {
    clearTimeout(this.#timers.get(chatId));
    this.#timers.delete(chatId);
    if (users.length > 0) this.#timers.set(chatId, setTimeout(() => this.receive(chatId, [], 0), expiresMs));
    const typing = new Map(this.#store.get().typing);
    if (users.length > 0) typing.set(chatId, users);
    else if (!typing.delete(chatId)) return;
    this.#store.set({ typing });
  }

  /** Removes a message's sender: the typing line ends with the message, not a second later. */
  heard(event: ChatEvent): void {
    const known = event as KnownEvent;
    const users = this.#store.get().typing.get(event.chat_id);
    if (known.op !== 'message.created' || !users?.includes(known.d.sender_id)) return;
    const others = users.filter((id) => id !== known.d.sender_id);
    if (others.length === 0) return this.receive(event.chat_id, [], 0);
    this.#store.set({ typing: new Map(this.#store.get().typing).set(event.chat_id, others) });
  }

  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
