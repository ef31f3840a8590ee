import { SvelteMap } from 'svelte/reactivity';
import { foldMessage, type ChatEvent, type Client, type Message } from '../../client';

/**
 * Messages that others reply to: each is read once, then kept current by events, and read again
 * where events may be missing.
 */
export class Quotes {
  private readonly held = new SvelteMap<string, Message>();
  private readonly asked = new Set<string>();

  constructor(private readonly client: Client) {
    client.on('event', (event) => this.heard(event));
    client.on('reset', ({ chat_id }) => this.forget(chat_id));
    client.on('chat.joined', ({ d }) => this.forget(d.chat.id));
    // A chat that is shown is replayed or reset, others are neither.
    client.on('connection', ({ phase }) => phase === 'online' && this.asked.clear());
  }

  get(id: string): Message | undefined {
    return this.held.get(id);
  }

  /** Reads a message, unless held. One that cannot be read stays unknown until a reload. */
  need(chatId: string, id: string): void {
    if (this.asked.has(id)) return;
    this.asked.add(id);
    const chat = this.client.store.get().state.chats.get(chatId);
    const lines = chat?.stale ? [] : [...(chat?.past?.lines ?? []), ...(chat?.history?.lines ?? [])];
    const held = lines.findLast(({ message }) => message.id === id)?.message;
    if (held) this.held.set(id, held);
    else void this.read(id);
  }

  private async read(id: string): Promise<void> {
    const message = await this.client.rest.message(id).catch(() => undefined);
    if (message && message.version >= (this.held.get(id)?.version ?? 0)) this.held.set(id, message);
  }

  private forget(chatId: string): void {
    for (const [id, { chat_id }] of this.held) {
      if (chat_id !== chatId) continue;
      this.held.delete(id);
      this.asked.delete(id);
    }
  }

  private heard(event: ChatEvent): void {
    if (event.op !== 'message.edited' && event.op !== 'message.deleted') return;
    const id = event.d.message_id;
    const held = this.held.get(id);
    if (held) this.held.set(id, foldMessage(held, event, ''));
    // The answer that is on its way may be older than the event.
    else if (this.asked.has(id)) void this.read(id);
  }
}
