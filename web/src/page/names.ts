import type { Chat, ChatKind, Entry, Role, User } from '../client';
import type { Texts } from './i18n/en';
import type { IconName } from './icons';

/** How users and chats are called on the page. Pure. */

type Users = ReadonlyMap<string, User>;

/** The name of a user; three dots until it is known. */
export function userName(users: Users, id: string): string {
  const user = users.get(id);
  return user ? user.display_name || user.username : '…';
}

/** What stands for a chat without a face; undefined for a direct one. */
export function chatIcon(kind: ChatKind): IconName | undefined {
  return ({ direct: undefined, group: 'people', private: 'lock', public: 'hash' } as const)[kind];
}

/** The other person of a direct chat. */
export function otherId(chat: Chat, me: string): string {
  return chat.member_ids?.find((id) => id !== me) ?? '';
}

const namedInTitle = 3;

export function chatTitle(chat: Chat, users: Users, me: string, t: Texts['names']): string {
  if (chat.kind === 'direct') return userName(users, otherId(chat, me));
  if (chat.name) return chat.name;
  if (!chat.member_ids) return t.groupOf(chat.member_count);
  const others = chat.member_ids.filter((id) => id !== me);
  if (others.length === 0) return t.onlyYou;
  const names = others.slice(0, namedInTitle).map((id) => userName(users, id));
  const more = others.length - names.length;
  return more > 0 ? t.andMore(t.list(names), more) : t.list(names);
}

/** Whose names the title and the last line of a chat need. */
export function namesNeeded(entry: Entry, me: string): string[] {
  const ids = (entry.member_ids ?? []).filter((id) => id !== me).slice(0, namedInTitle);
  return entry.last_message ? [...ids, entry.last_message.sender_id] : ids;
}

export function initials(name: string): string {
  const words = name.trim().split(/[\s._-]+/).filter(Boolean);
  const first = Array.from(words[0] ?? '?')[0] ?? '?';
  const last = words.length > 1 ? (Array.from(words[words.length - 1]!)[0] ?? '') : '';
  return (first + last).toUpperCase();
}

/** A hue that stays with an id. */
export function hue(id: string): number {
  let hash = 0x811c9dc5;
  for (const char of id) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 13)) >>> 0) % 360;
}

const ranks: Record<Role, number> = { member: 0, admin: 1, owner: 2 };

export function isAdmin(role: Role): boolean {
  return ranks[role] >= ranks.admin;
}

/** Whether someone of role `mine` may act on someone of role `theirs`: nobody acts on a higher one. */
export function mayActOn(mine: Role, theirs: Role): boolean {
  return isAdmin(mine) && ranks[mine] >= ranks[theirs];
}

/** The roles that someone of role `mine` may grant. */
export function grantable(mine: Role): Role[] {
  return (['member', 'admin', 'owner'] as const).filter((role) => ranks[role] <= ranks[mine]);
}
