import { foldMessage, mentionsUser, type ChatEvent, type ChatState, type Client, type Message, type State } from '../../client';
import { isolated } from '../text/letters';
import { namesNeeded } from '../text/names';
import type { Page } from './page.svelte';

/** How long a notice waits for the names in it. */
const namesMs = 3_000;
/** How many notices are kept current: the latest. */
const most = 100;

interface Told {
  message: Message;
  /** Undefined until it is shown. */
  notice?: Notification | undefined;
}

/**
 * Tells the user of messages that arrive: in the open chat to screen readers, elsewhere on the
 * desktop. A notice follows its message, and goes when it is deleted, or read on any device.
 */
export class Notices {
  private readonly told = new Map<string, Told>();
  /** The message announced last. */
  private announced = '';

  constructor(
    private readonly page: Page,
    private readonly client: Client,
  ) {
    client.on('message', (message) => void this.heard(message));
    client.on('chat.joined', ({ d: { chat } }) => chat.unread > 0 && chat.last_message && void this.heard(chat.last_message));
    client.on('event', (event) => this.follow(event));
    client.on('change', ({ state }) => this.takeBack(state));
    // What happened meanwhile may come as no event.
    client.on('reset', ({ chat_id }) => void this.readAgain(chat_id));
    client.on('connection', ({ phase }) => phase === 'online' && void this.readAgain());
  }

  /** Takes back all notices. */
  stop(): void {
    for (const id of this.told.keys()) this.drop(id);
  }

  private async heard(message: Message): Promise<void> {
    const chat = this.client.store.get().state.chats.get(message.chat_id);
    if (!chat || this.told.has(message.id)) return;
    const { entry } = chat;
    if (message.sender_id === this.page.me || this.page.blocked.has(message.sender_id) || message.deleted_at || message.seq <= entry.read_seq) return;
    this.told.set(message.id, { message });
    await known(this.client, [message.sender_id, ...(entry.name ? [] : namesNeeded(entry, this.page.me))]);
    const told = this.told.get(message.id);
    if (told) this.tell(told);
  }

  private tell(told: Told): void {
    const { page } = this;
    const { message } = told;
    const { id, chat_id, seq } = message;
    const chat = page.snapshot?.state.chats.get(chat_id);
    if (!chat) return this.drop(id);
    const open = page.route.chatId === chat_id;
    if (open) {
      page.announced = this.text(message);
      this.announced = id;
    }
    const seen = (open && page.attentive) || seq <= chat.entry.read_seq;
    const silent = chat.entry.request || page.presence(page.me) === 'dnd' || (chat.entry.muted && !mentionsUser(message, page.me));
    if (seen || silent || !page.preferences.notify) return this.drop(id);
    const notice = page.notifier.show({ title: this.title(chat), body: this.text(message), tag: id, open: () => void page.attempt(() => page.goTo(chat_id, seq)) });
    if (!notice) return this.drop(id);
    told.notice = notice;
    // Unless another one replaced it, the user is done with it.
    notice.onclose = () => told.notice === notice && this.told.delete(id);
    if (this.told.size > most) this.told.delete(this.told.keys().next().value!);
  }

  private title(chat: ChatState): string {
    const { entry } = chat;
    const known = entry.name || namesNeeded(entry, this.page.me).every((id) => this.page.users.has(id));
    if (!known) return this.page.t.message.somebodys;
    return [this.page.title(chat), this.page.handle(this.page.partner(entry))].filter(Boolean).join(' ');
  }

  private text(message: Message): string {
    const { sender_id } = message;
    const text = this.page.words(message);
    return this.page.users.has(sender_id) ? this.page.t.message.announced(this.page.inText(sender_id), isolated(text)) : text;
  }

  private follow(event: ChatEvent): void {
    if (event.op !== 'message.edited' && event.op !== 'message.deleted') return;
    const id = event.d.message_id;
    if (id === this.announced) this.page.announced = '';
    const told = this.told.get(id);
    if (told) this.renew(told, foldMessage(told.message, event, ''));
  }

  private renew(told: Told, message: Message): void {
    const changed = message.body !== told.message.body;
    told.message = message;
    if (message.deleted_at) this.drop(message.id);
    else if (changed && told.notice) this.tell(told);
  }

  private takeBack(state: State): void {
    for (const [id, { message, notice }] of this.told) {
      const entry = state.chats.get(message.chat_id)?.entry;
      if (!entry || (notice && message.seq <= entry.read_seq)) this.drop(id);
    }
  }

  private async readAgain(chatId?: string): Promise<void> {
    for (const { message } of [...this.told.values()]) {
      if (chatId && message.chat_id !== chatId) continue;
      const now = await this.client.rest.message(message.id).catch(() => message);
      const told = this.told.get(message.id);
      if (told && now.version >= told.message.version) this.renew(told, now);
    }
  }

  private drop(id: string): void {
    const told = this.told.get(id);
    this.told.delete(id);
    told?.notice?.close();
  }
}

/** Resolves once these users are known, or after a while without. */
function known(client: Client, ids: readonly string[]): Promise<void> {
  const all = () => ids.every((id) => client.store.get().users.has(id));
  client.directory.need(ids);
  if (all()) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      end();
      resolve();
    };
    const timer = setTimeout(done, namesMs);
    const end = client.on('change', () => all() && done());
  });
}
