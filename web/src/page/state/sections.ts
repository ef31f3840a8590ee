import type { ChatKind, ChatState } from '../../client';
import { holds } from '../text/fold';

/** The sections of the sidebar. Pure. */
export type SectionName = 'requests' | 'unread' | 'channels' | 'direct' | 'groups';

export interface Section {
  readonly name: SectionName;
  readonly chats: readonly ChatState[];
}

/** What decides in which sections chats stand. */
export interface Sorting {
  readonly title: (chat: ChatState) => string;
  readonly filter?: string;
  /** Whether unread chats come first, in a section of their own. */
  readonly unreadFirst?: boolean;
  /** The chat that is open: it stays where it is while it is being read. */
  readonly open?: string | null;
}

const names = ['requests', 'unread', 'channels', 'direct', 'groups'] as const;
const sectionOf: Readonly<Record<ChatKind, SectionName>> = { public: 'channels', private: 'channels', direct: 'direct', group: 'groups' };
const collator = new Intl.Collator(undefined, { numeric: true });

/** Reports whether a chat has something that the user should see: in a muted one, mentions. */
export const isUnread = ({ entry }: ChatState): boolean => !entry.request && (entry.muted ? entry.mentions : entry.unread) > 0;

/**
 * The chats whose title contains the filter, in sections, without empty ones. Channels are sorted
 * by name, so that their place is learned; conversations keep their order, newest activity first.
 * Archived chats come last.
 */
export function sections(chats: readonly ChatState[], { title, filter = '', unreadFirst = false, open }: Sorting, kept: ReadonlySet<string> = new Set()): Section[] {
  const matching = filter.trim() ? chats.filter((chat) => holds(title(chat), filter)) : chats;
  const placeOf = (chat: ChatState): SectionName => {
    const { id, kind, request } = chat.entry;
    // Requests of strangers stand by themselves, whatever their kind.
    if (request) return 'requests';
    return unreadFirst && (isUnread(chat) || (id === open && kept.has(id))) ? 'unread' : sectionOf[kind];
  };
  const places = new Map<SectionName, ChatState[]>(names.map((name) => [name, []]));
  for (const chat of matching) places.get(placeOf(chat))!.push(chat);
  return [...places].filter(([, held]) => held.length > 0).map(([name, held]) => ({ name, chats: ordered(name, held) }));
}

function ordered(name: SectionName, chats: readonly ChatState[]): ChatState[] {
  const archived = (chat: ChatState) => Number(chat.entry.archived);
  const called = (chat: ChatState) => Number(chat.entry.kind !== 'direct' && chat.entry.mentions === 0);
  const inside = (a: ChatState, b: ChatState) => {
    if (name === 'unread') return called(a) - called(b);
    return name === 'channels' ? collator.compare(a.entry.name, b.entry.name) : 0;
  };
  return [...chats].sort((a, b) => archived(a) - archived(b) || inside(a, b));
}
