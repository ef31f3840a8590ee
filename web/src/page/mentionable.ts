import type { User } from '../client';

/** Somebody who can be mentioned; without an id it is everybody. */
export interface Candidate {
  readonly id: string;
  readonly username: string;
  readonly name: string;
}

const most = 8;

/** Those whose username, or a word of whose name, begins with what was typed; everybody comes last. Pure. */
export function mentionable(ids: readonly string[], users: ReadonlyMap<string, User>, me: string, typed: string): Candidate[] {
  const people = ids
    .filter((id) => id !== me)
    .flatMap((id) => {
      const user = users.get(id);
      return user ? [{ id, username: user.username, name: user.display_name || user.username }] : [];
    })
    .filter(({ username, name }) => username.startsWith(typed) || ` ${name.toLowerCase()}`.includes(` ${typed}`))
    .sort((a, b) => a.name.localeCompare(b.name));
  // A name that is written out needs no completing.
  if (people[0]?.username === typed && people.length === 1) return [];
  const all = 'all'.startsWith(typed) && ids.length > 2 ? [{ id: '', username: 'all', name: '' }] : [];
  return [...people.slice(0, most - all.length), ...all];
}
