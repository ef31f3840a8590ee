import type { Client, Entry, KnownEvent } from '../../client';
import { namesNeeded } from '../text/names';
import { Blocks } from './blocks';
import { Hidden } from './hidden';
import type { Page } from './page.svelte';

/** What the logged-in user does with chats and with other people. An error is shown as a toast. */
export class Acts {
  private readonly blocks: Blocks;
  private readonly hidden: Hidden;

  constructor(
    private readonly page: Page,
    client: Client,
    userId: string,
  ) {
    this.blocks = new Blocks(client, (blocked) => (page.blocked = blocked));
    this.hidden = new Hidden(userId);
  }

  stop(): void {
    this.blocks.stop();
  }

  /** Mutes or unmutes a chat for this user, on all devices. */
  mute(entry: Entry, muted: boolean): Promise<boolean> {
    return this.page.attempt(async () => {
      await this.page.rest.updateMember(entry.id, this.page.me, { muted });
      this.page.client.membership(entry.id, { muted });
    });
  }

  /** Blocks a user, after asking, or ends that. Resolves to whether it did. */
  async block(id: string, on: boolean): Promise<boolean> {
    const { blockTitle, blockText, block } = this.page.t.people;
    if (on && !(await this.page.ask({ title: blockTitle(this.page.inText(id)), text: blockText, action: block, danger: true }))) return false;
    return this.page.attempt(() => this.blocks.set(id, on));
  }

  /** Hides a chat until its next message, on all devices. */
  hide(entry: Entry): Promise<boolean> {
    return this.page.attempt(async () => {
      await this.page.rest.updateMember(entry.id, this.page.me, { hidden: true });
      this.page.client.membership(entry.id, { hidden: true });
      this.hidden.add(entry.id);
      if (this.page.route.chatId === entry.id) this.page.route.go(null);
    });
  }

  /** Accepts a request: from then on the chat is like any other. */
  accept(entry: Entry): Promise<boolean> {
    return this.page.attempt(async () => {
      await this.page.rest.call('POST', `/chats/${entry.id}/accept`);
      this.page.client.membership(entry.id, { request: false });
    });
  }

  /** Declines a request: the user leaves. */
  decline = ({ id }: Entry): Promise<boolean> => this.page.attempt(() => this.page.rest.removeMember(id, this.page.me));

  /** Finds out who put a member into a chat, by the event that did; '' if it is no longer kept. */
  async adder({ id, added_seq }: Entry): Promise<string> {
    const { events } = await this.page.rest.events(id, added_seq - 1);
    const { op, seq, d } = (events[0] ?? {}) as Partial<KnownEvent>;
    return op === 'member.added' && seq === added_seq ? d!.by : '';
  }

  /** Finds out who was the other user of a direct chat, when it does not say: they have declined. */
  async findPartner(entry: Entry): Promise<void> {
    if (entry.kind !== 'direct' || this.page.partner(entry)) return;
    const { events } = await this.page.rest.events(entry.id, 0).catch(() => ({ events: [] }));
    for (const { op, d } of events as KnownEvent[]) {
      if (op === 'member.added' && d.user_id !== this.page.me) this.page.partners.set(entry.id, d.user_id);
    }
  }

  /** Opens the direct chat with a user. */
  write(id: string): Promise<boolean> {
    return this.page.attempt(async () => this.page.open((await this.page.rest.createChat({ kind: 'direct', member_ids: [id] })).id));
  }

  /** Leaves a chat, after asking. Resolves to whether it did. */
  async leaveChat(id: string): Promise<boolean> {
    const { leaveTitle, leaveText, leave } = this.page.t.settings;
    if (!(await this.page.ask({ title: leaveTitle, text: leaveText, action: leave, danger: true }))) return false;
    return this.page.attempt(() => this.page.rest.removeMember(id, this.page.me));
  }

  /** Learns of the chats that were hidden in this browser: the server's list leaves them out. */
  async findHidden(): Promise<void> {
    const { page, hidden } = this;
    const { client } = page;
    const missing = hidden.ids.filter((id) => !page.snapshot?.state.chats.has(id));
    const learn = (entry: Entry) => {
      client.adopt(entry);
      client.directory.need(namesNeeded(entry, this.page.me));
    };
    await Promise.all(missing.map((id) => this.page.rest.chat(id).then(learn, () => hidden.drop(id))));
  }
}
