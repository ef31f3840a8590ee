import { foldMessage } from './message';
import type { Rest } from './rest';
import type { Store } from './store';
import type { ChatEvent, KnownEvent, Message } from './types';

/** Knows messages that were answered, wherever in the history they are: each is read once, then kept true by events. */
export class Quotes {
  private readonly asked = new Set<string>();

  constructor(
    private readonly store: Store,
    private readonly rest: Rest,
  ) {}

  /** Reads a message that is not held. One that cannot be read stays unknown until the page is opened anew. */
  need(chatId: string, id: string): void {
    if (this.asked.has(id)) return;
    this.asked.add(id);
    const chat = this.store.get().state.chats.get(chatId);
    const lines = [...(chat?.past?.lines ?? []), ...(chat?.timeline?.lines ?? [])];
    const held = lines.findLast(({ message }) => message.id === id)?.message;
    if (held) return this.put(held);
    this.rest.message(id).then((message) => this.put(message), () => {});
  }

  heard(event: ChatEvent): void {
    const known = event as KnownEvent;
    if (known.op !== 'message.edited' && known.op !== 'message.deleted') return;
    const { quotes, state } = this.store.get();
    const held = quotes.get(known.d.message_id);
    if (held) this.put(foldMessage(held, event, state.me));
  }

  private put(message: Message): void {
    this.store.set({ quotes: new Map(this.store.get().quotes).set(message.id, message) });
  }
}
