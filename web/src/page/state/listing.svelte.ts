import type { ChatState } from '../../client';
import type { Preferences } from './preferences.svelte';
import { isUnread, sections, type Section, type SectionName } from './sections';

/** One line of the sidebar. */
export type Line =
  | { readonly kind: 'section'; readonly key: string; readonly name: SectionName; readonly count: number; readonly folded: boolean }
  | { readonly kind: 'chat'; readonly key: string; readonly chat: ChatState };

/** What the listing is made from. */
interface Source {
  readonly chats: readonly ChatState[];
  readonly title: (chat: ChatState) => string;
  readonly route: { readonly chatId: string | null };
  readonly preferences: Preferences;
}

/** From so many chats on, each is one line, and unread ones come first. */
export const many = 30;
/** More requests than these are one row until it is opened. */
const fewRequests = 3;

/** The user's chats as the sidebar lists them: in sections, some of which are folded. */
export class Listing {
  filter = $state('');
  /** The chats that were unread when they were opened: they do not leave their place meanwhile. */
  private kept: ReadonlySet<string> = new Set();

  constructor(private readonly from: Source) {}

  readonly sections: readonly Section[] = $derived.by(() => {
    const { chats, title, route } = this.from;
    const made = sections(chats, { title, filter: this.filter, unreadFirst: chats.length > many, open: route.chatId }, this.kept);
    this.kept = new Set(made.find(({ name }) => name === 'unread')?.chats.map(({ entry }) => entry.id));
    return made;
  });

  readonly lines: readonly Line[] = $derived(this.sections.flatMap((section) => this.linesOf(section)));
  /** The listed chats, in the order of the sidebar. */
  readonly chats: readonly ChatState[] = $derived(this.lines.flatMap((line) => (line.kind === 'chat' ? [line.chat] : [])));

  /** Whether each chat is one line, without what was last said in it. */
  get dense(): boolean {
    const { density } = this.from.preferences;
    return density === 'auto' ? this.from.chats.length > many : density === 'one';
  }

  fold({ name, chats }: Section): void {
    const { preferences } = this.from;
    preferences.set({ folded: { ...preferences.folded, [name]: !this.folded({ name, chats }) } });
  }

  private folded({ name, chats }: Section): boolean {
    return this.from.preferences.folded[name] ?? (name === 'requests' && chats.length > fewRequests);
  }

  /** A folded section still shows the open chat and unread ones. */
  private linesOf(section: Section): Line[] {
    const { name, chats } = section;
    const folded = this.folded(section);
    const open = this.from.route.chatId;
    const shown = folded && !this.filter ? chats.filter((chat) => isUnread(chat) || chat.entry.id === open) : chats;
    return [{ kind: 'section', key: name, name, count: chats.length, folded }, ...shown.map((chat): Line => ({ kind: 'chat', key: chat.entry.id, chat }))];
  }
}
