import type { ChatState, PublicChat, User } from '../../client';
import { begins, fold, holds } from '../text/fold';

/** How chats and people are found by name: best first. Pure. */

/** How well a title fits what was typed: the lower, the better. */
function distance(title: string, typed: string): number {
  if (fold(title) === fold(typed)) return 0;
  if (fold(title).startsWith(fold(typed))) return 1;
  return begins(title, typed) ? 2 : 3;
}

/**
 * The chats whose title contains what was typed: those that begin with it first, then those that
 * the user was in last; without a text, just the latter.
 */
export function foundChats(chats: readonly ChatState[], title: (chat: ChatState) => string, typed: string, visited: readonly string[]): ChatState[] {
  const query = typed.trim();
  const order = new Map(visited.map((id, i) => [id, i]));
  const lately = (chat: ChatState) => order.get(chat.entry.id) ?? Infinity;
  const known = chats.flatMap((chat) => {
    const called = title(chat);
    return !query || holds(called, query) ? [{ chat, distance: query ? distance(called, query) : 0 }] : [];
  });
  const byUse = (a: ChatState, b: ChatState) => (lately(a) === lately(b) ? 0 : lately(a) - lately(b));
  return known.sort((a, b) => a.distance - b.distance || byUse(a.chat, b.chat)).map(({ chat }) => chat);
}

/** The people with whom the user has no direct chat yet: with others, the chat is found. */
export const newPeople = (users: readonly User[], me: string, partners: ReadonlySet<string>): User[] => users.filter(({ id }) => id !== me && !partners.has(id));

/** The channels that the user is not in. */
export const newChannels = (channels: readonly PublicChat[]): PublicChat[] => channels.filter(({ joined }) => !joined);
