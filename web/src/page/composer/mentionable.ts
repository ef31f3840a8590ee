import type { User } from '../../client';
import { begins, fold } from '../text/fold';
import { nameOf } from '../text/names';

/** A user who can be mentioned; without an id, everyone. */
export interface Candidate {
  readonly id: string;
  readonly username: string;
  readonly name: string;
}

const most = 8;

/** Users whose username, or a word of whose name, begins with `typed`, with or
 * without accents; `@all` comes last. Pure. */
export function mentionable(ids: readonly string[], users: ReadonlyMap<string, User>, me: string, typed: string): Candidate[] {
  const people = ids
    .filter((id) => id !== me)
    .flatMap((id) => {
      const user = users.get(id);
      return user ? [{ id, username: user.username, name: nameOf(user) }] : [];
    })
    .filter(({ username, name }) => username.startsWith(fold(typed)) || begins(name, typed))
    .sort((a, b) => a.name.localeCompare(b.name));
  // A complete name needs no completion.
  if (people[0]?.username === typed && people.length === 1) return [];
  const all = 'all'.startsWith(typed) && ids.length > 2 ? [{ id: '', username: 'all', name: '' }] : [];
  return [...people.slice(0, most - all.length), ...all];
}
