import type { Client, Entry, KnownEvent } from '../../client';
import { isolated } from '../text/letters';
import type { Page } from './page.svelte';

/** How long ago it may have happened that somebody was added, to be told of it. */
const lately = 5 * 60_000;

/** Tells the user when somebody adds them to a chat, or removes them from one. */
export class Standing {
  private readonly ends: (() => void)[];

  constructor(
    private readonly page: Page,
    private readonly client: Client,
  ) {
    this.ends = [
      client.on('chat.joined', ({ d }) => void this.added(d.chat).catch(() => {})),
      client.on('member.removed', ({ chat_id, d }) => {
        const chat = client.store.get().state.chats.get(chat_id);
        if (chat && d.user_id === page.me && d.by !== page.me) void this.tell('removedYou', d.by, chat.entry);
      }),
    ];
  }

  stop(): void {
    for (const end of this.ends) end();
  }

  /** A request speaks for itself, and so does a direct chat. */
  private async added(entry: Entry): Promise<void> {
    const { id, kind, request, added_seq } = entry;
    if (kind === 'direct' || request) return;
    const { events } = await this.client.rest.events(id, added_seq - 1);
    const { op, ts, d } = (events[0] ?? {}) as KnownEvent;
    if (op !== 'member.added' || d.user_id !== this.page.me || d.by === this.page.me || Date.parse(ts) < Date.now() - lately) return;
    await this.tell('addedYou', d.by, entry);
  }

  private async tell(what: 'addedYou' | 'removedYou', by: string, entry: Entry): Promise<void> {
    const { page } = this;
    const title = isolated(page.title({ entry }));
    if (!page.users.has(by)) this.client.directory.learn([await this.client.rest.user(by)]);
    // Until the page has heard of them.
    await null;
    const { [what]: text, show } = page.t.comings;
    const open = page.route.chatId === entry.id || what === 'removedYou' ? undefined : { label: show, run: () => page.route.go(entry.id) };
    page.toasts.show(text(page.inText(by), title), open);
  }
}
