import type { ChatKind, ChatState } from '../client';

/** The parts of the sidebar. Pure. */
export type SectionName = 'channels' | 'direct' | 'groups';

export interface Section {
  readonly name: SectionName;
  readonly chats: readonly ChatState[];
}

const sectionOf: Readonly<Record<ChatKind, SectionName>> = { public: 'channels', private: 'channels', direct: 'direct', group: 'groups' };

/**
 * The chats whose title holds the filter, in sections without empty ones. Channels stand by name, so that a
 * hand finds them; conversations as they come, newest activity first. Archived chats come last.
 */
export function sections(chats: readonly ChatState[], title: (chat: ChatState) => string, filter: string): Section[] {
  const words = filter.trim().toLowerCase();
  const matching = words ? chats.filter((chat) => title(chat).toLowerCase().includes(words)) : chats;
  const names = ['channels', 'direct', 'groups'] as const;
  return names
    .map((name) => ({ name, chats: ordered(name, matching.filter(({ entry }) => sectionOf[entry.kind] === name)) }))
    .filter(({ chats: held }) => held.length > 0);
}

function ordered(name: SectionName, chats: readonly ChatState[]): ChatState[] {
  const archived = (chat: ChatState) => Number(chat.entry.archived);
  const byName = (a: ChatState, b: ChatState) => (name === 'channels' ? a.entry.name.localeCompare(b.entry.name) : 0);
  return [...chats].sort((a, b) => archived(a) - archived(b) || byName(a, b));
}
