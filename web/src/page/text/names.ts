import type { Chat, ChatKind, Entry, Role, User } from '../../client';
import type { Texts } from '../i18n/en';
import type { IconName } from '../elements/icons';
import { fold } from './fold';
import { isolated, unturned } from './letters';

/** Names of users and chats. Pure. */

type Users = ReadonlyMap<string, User>;

/** A user's name. */
export const nameOf = (user: User): string => unturned(user.display_name || user.username);

/** The name of a user by id; an ellipsis until it is known. */
export function userName(users: Users, id: string): string {
  const user = users.get(id);
  return user ? nameOf(user) : '…';
}

const folded = new WeakMap<User, string>();

/** A user's name as a search compares it: the server takes those that are equal so for the same. */
function comparable(user: User): string {
  const known = folded.get(user) ?? fold(nameOf(user)).trim();
  folded.set(user, known);
  return known;
}

/** The ids of those users whose name another of them has as well. */
export function namesakes(users: Users): ReadonlySet<string> {
  const first = new Map<string, string>();
  const found = new Set<string>();
  for (const user of users.values()) {
    const name = comparable(user);
    const other = first.get(name);
    if (other === undefined) first.set(name, user.id);
    else found.add(other).add(user.id);
  }
  return found;
}

/** The icon of a chat; undefined for a direct one, which shows a person. */
export function chatIcon(kind: ChatKind): IconName | undefined {
  return ({ direct: undefined, group: 'people', private: 'lock', public: 'hash' } as const)[kind];
}

/** The other user in a direct chat. */
export function otherId(chat: Chat, me: string): string {
  // Who has declined is no member, but is still known as whoever began the chat.
  return chat.member_ids?.find((id) => id !== me) ?? (chat.created_by === me ? '' : chat.created_by);
}

const namedInTitle = 3;

export function chatTitle(chat: Chat, users: Users, me: string, t: Texts['names']): string {
  if (chat.kind === 'direct') return userName(users, otherId(chat, me));
  if (chat.name) return unturned(chat.name);
  if (!chat.member_ids) return t.groupOf(chat.member_count);
  const others = chat.member_ids.filter((id) => id !== me);
  if (others.length === 0) return t.onlyYou;
  const names = others.slice(0, namedInTitle).map((id) => isolated(userName(users, id)));
  const more = others.length - names.length;
  return more > 0 ? t.andMore(t.list(names), more) : t.list(names);
}

/** The users whose names appear in a chat's title and preview. */
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

/** A constant hue for an id. */
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

/** Reports whether role `mine` may act on role `theirs`: nobody acts on a higher one. */
export function mayActOn(mine: Role, theirs: Role): boolean {
  return isAdmin(mine) && ranks[mine] >= ranks[theirs];
}

/** The roles that role `mine` may grant. */
export function grantable(mine: Role): Role[] {
  return (['member', 'admin', 'owner'] as const).filter((role) => ranks[role] <= ranks[mine]);
}
