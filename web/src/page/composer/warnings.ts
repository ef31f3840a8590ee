import type { User } from '../../client';
import { mentionsIn } from '../text/mentions';

/** What a draft's mentions will not do, or do to many. */
export interface Warning {
  /** Those whom it names and who are not in the chat. */
  readonly outsiders: readonly User[];
  /** Whether it calls everybody. */
  readonly everyone: boolean;
  /** Names that nobody known here has. */
  readonly unknown: readonly string[];
}

const nothing: Warning = { outsiders: [], everyone: false, unknown: [] };
/** Longer drafts are seldom written by hand, and reading them takes time. */
const longest = 20_000;
const mostNames = 20;

/** Looks through a draft. Names nobody as an outsider unless all members are known. Pure. */
export function warningOf(text: string, users: ReadonlyMap<string, User>, members: readonly string[], whole: boolean): Warning {
  if (!text.includes('@') || text.length > longest) return nothing;
  const byName = new Map([...users.values()].map((user) => [user.username, user]));
  const inside = new Set(members);
  const named = (isMention: (name: string) => boolean) => [...new Set(mentionsIn(text, isMention).map(({ from, to }) => text.slice(from + 1, to).toLowerCase()))].slice(0, mostNames);
  const known = named((name) => name === 'all' || byName.has(name));
  const people = known.flatMap((name) => byName.get(name) ?? []);
  return {
    outsiders: whole ? people.filter(({ id }) => !inside.has(id)) : [],
    everyone: known.includes('all'),
    unknown: named((name) => !/[._-]$/.test(name)).filter((name) => name !== 'all' && !byName.has(name)),
  };
}
