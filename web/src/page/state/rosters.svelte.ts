import { SvelteMap } from 'svelte/reactivity';
import type { ChatState, Client, Member } from '../../client';

/** How many members to list: more help nobody, the rest are found by name. */
const most = 1_000;

interface Roster {
  readonly rev: number;
  readonly members: readonly Member[];
}

/** The members of chats, read when first needed and again whenever they may have changed. */
export class Rosters {
  private readonly held = new SvelteMap<string, Roster>();
  private readonly reading = new Map<string, number>();

  constructor(
    private readonly client: () => Client,
    private readonly onError: (err: unknown) => void,
  ) {}

  /** The members known so far. Reads them if they may have changed. */
  members(chat: ChatState): readonly Member[] {
    const { id } = chat.entry;
    const roster = this.held.get(id);
    if (roster?.rev !== chat.memberRev && this.reading.get(id) !== chat.memberRev) this.read(id, chat.memberRev);
    return roster?.members ?? [];
  }

  of(chat: ChatState): readonly string[] {
    return this.members(chat).map(({ user_id }) => user_id);
  }

  clear(): void {
    this.held.clear();
    this.reading.clear();
  }

  /** Reads the members. Drops an answer overtaken by a change, because that reads again. */
  private read(id: string, rev: number): void {
    this.reading.set(id, rev);
    this.all(id).then(
      (members) => {
        if (this.reading.get(id) !== rev) return;
        this.held.set(id, { rev, members });
        this.client().directory.need(members.map(({ user_id }) => user_id));
      },
      (err: unknown) => {
        if (this.reading.get(id) === rev) this.reading.delete(id);
        this.onError(err);
      },
    );
  }

  private async all(id: string): Promise<Member[]> {
    const all: Member[] = [];
    let after: string | undefined;
    do {
      const part = await this.client().rest.members(id, after);
      all.push(...part.members);
      after = part.next;
    } while (after && all.length < most);
    return all;
  }
}
