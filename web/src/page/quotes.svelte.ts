import { SvelteMap } from 'svelte/reactivity';
import { foldMessage, type ChatEvent, type Client, type Message } from '../client';

/** Knows messages that were answered, wherever in the history they are: each is read once, then kept true by events. */
export class Quotes {
  private readonly held = new SvelteMap<string, Message>();
  private readonly asked = new Set<string>();

  constructor(private readonly client: Client) {
    client.on('event', (event) => this.heard(event));
  }

  get(id: string): Message | undefined {
    return this.held.get(id);
  }

  /** Reads a message that is not held. One that cannot be read stays unknown until the page is opened anew. */
  need(chatId: string, id: string): void {
    if (this.asked.has(id)) return;
    this.asked.add(id);
    const chat = this.client.store.get().state.chats.get(chatId);
    const lines = [...(chat?.past?.lines ?? []), ...(chat?.timeline?.lines ?? [])];
    const held = lines.findLast(({ message }) => message.id === id)?.message;
    if (held) this.held.set(id, held);
    else this.client.rest.message(id).then((message) => this.held.set(id, message), () => {});
  }

  private heard(event: ChatEvent): void {
    if (event.op !== 'message.edited' && event.op !== 'message.deleted') return;
    const held = this.held.get(event.d.message_id);
    if (held) this.held.set(held.id, foldMessage(held, event, ''));
  }
}
