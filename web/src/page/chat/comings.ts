import type { Chat, ChatEvent, KnownEvent } from '../../client';
import type { Row } from './rows';

/**
 * Who joined and left, and what became of the chat itself, between the messages: few lines, however
 * often somebody comes and goes. Pure.
 */

/** One event of a member. */
export interface Coming {
  readonly seq: number;
  readonly ts: string;
  readonly user: string;
  readonly joined: boolean;
  /** Who did it: the user, or whoever added or removed them. */
  readonly by: string;
}

export type Details = Pick<Chat, 'name' | 'topic' | 'archived'>;

/** One event of the chat itself, and how it left the chat. */
export interface Change {
  readonly seq: number;
  readonly ts: string;
  readonly by: string;
  readonly details: Details;
  /** How the chat was before, if that is known. */
  readonly before?: Details | undefined;
  /** Whether it is only held as what later changes are compared with. */
  readonly silent: boolean;
}

export type Happening = Coming | Change;

type What = 'name' | 'topic' | 'archived' | 'unarchived' | 'details';

/** What one line tells: of one person, of several in the same way, of how many came and went, or of the chat. */
export type Told =
  | { readonly kind: 'person'; readonly user: string; readonly by: string; readonly joined: boolean; readonly back: number; readonly same: boolean }
  | { readonly kind: 'group'; readonly user: string; readonly others: number; readonly by: string; readonly joined: boolean }
  | { readonly kind: 'people'; readonly joined: number; readonly left: number }
  | { readonly kind: 'change'; readonly by: string; readonly what: What; readonly text: string };

/** More lines about people than these are one. */
const most = 3;

const isChange = (one: Happening): one is Change => 'details' in one;

/** The happening that an event is; undefined for any other event. */
export function comingOf(event: ChatEvent): Happening | undefined {
  const { op, seq, ts, actor_id: by, d } = event as KnownEvent;
  if (op === 'chat.created' || op === 'chat.updated') return { seq, ts, by, details: detailsOf(d), silent: op === 'chat.created' };
  if (op !== 'member.added' && op !== 'member.removed') return undefined;
  return { seq, ts, user: d.user_id, joined: op === 'member.added', by: d.by };
}

/** The chat as it was at a seq, for later changes to be compared with. */
export const known = (seq: number, chat: Details): Change => ({ seq, ts: '', by: '', details: detailsOf(chat), silent: true });

const detailsOf = ({ name, topic, archived }: Details): Details => ({ name, topic, archived });

/** Happenings in the order of seq, where each change knows how the chat was before. */
export function compared(happenings: readonly Happening[]): Happening[] {
  let before: Details | undefined;
  return happenings.map((one) => {
    if (!isChange(one)) return one;
    const change = { ...one, before };
    before = one.details;
    return change;
  });
}

/** The lines for what happened between two messages. */
export function tell(run: readonly Happening[]): Told[] {
  const people = gathered(byPerson(run.filter((one): one is Coming => !isChange(one))));
  const changes = new Map(run.flatMap((one) => (isChange(one) && !one.silent ? changesOf(one) : [])).map((told) => [told.what, told]));
  return [...people, ...changes.values()];
}

/** What each person did, in the order in which they first did something. */
function byPerson(run: readonly Coming[]): (readonly Coming[])[] {
  return alike(run, ({ user }) => user);
}

/** Those with the same key together, in the order of the first of each. */
function alike<T>(all: readonly T[], keyOf: (one: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return [...groups.values()];
}

/** Those who did the same by the same hand are one line; if that leaves too many, all are. */
function gathered(people: readonly (readonly Coming[])[]): Told[] {
  const groups = alike(people, (comings) => {
    const { user, by, joined } = comings[0]!;
    return comings.length > 1 ? user : `${joined} ${by === user ? '' : by}`;
  });
  if (groups.length > most) return [summary(people)];
  return groups.map((group) => (group.length === 1 ? person(group[0]!) : together(group)));
}

function summary(people: readonly (readonly Coming[])[]): Told {
  const joined = people.filter((comings) => comings.at(-1)!.joined).length;
  return { kind: 'people', joined, left: people.length - joined };
}

/** `same`: the last thing is what they had done first; `back`: how often they undid it. */
function person(comings: readonly Coming[]): Told {
  const { user, joined } = comings[0]!;
  const last = comings.at(-1)!;
  return { kind: 'person', user, by: last.by, joined, back: Math.floor(comings.length / 2), same: last.joined === joined };
}

/** `by` is '' if they did it themselves. */
function together(group: readonly (readonly Coming[])[]): Told {
  const { user, by, joined } = group[0]![0]!;
  return { kind: 'group', user, others: group.length - 1, by: by === user ? '' : by, joined };
}

function changesOf({ by, details, before }: Change): Extract<Told, { kind: 'change' }>[] {
  const told = (what: What, text = '') => ({ kind: 'change', by, what, text }) as const;
  const archived = told(details.archived ? 'archived' : 'unarchived');
  if (!before) return [details.archived ? archived : told('details')];
  return [
    ...(details.name === before.name ? [] : [told('name', details.name)]),
    ...(details.topic === before.topic ? [] : [told('topic', details.topic)]),
    ...(details.archived === before.archived ? [] : [archived]),
  ];
}

/** The rows with what happened between them. Nothing is told of how a chat began. */
export function withComings(rows: readonly Row[], happenings: readonly Happening[], creator: string): Row[] {
  const later = afterBeginning(compared(happenings), creator);
  const out: Row[] = [];
  let at = 0;
  for (const row of rows) {
    const from = at;
    const until = row.kind === 'message' ? row.message.seq : Infinity;
    while (at < later.length && later[at]!.seq < until) at++;
    const told = rowsOf(later.slice(from, at));
    out.push(...told, told.length === 0 ? row : { ...row, first: true });
  }
  out.push(...rowsOf(later.slice(at)));
  return out;
}

function rowsOf(run: readonly Happening[]): Row[] {
  const told = tell(run);
  return told.length === 0 ? [] : [{ kind: 'comings', key: `comings ${run[0]!.seq}`, told, day: null, fresh: false, first: false }];
}

/** Without those with whom the chat was made: its first events, after `chat.created`. */
function afterBeginning(happenings: readonly Happening[], creator: string): readonly Happening[] {
  const beginning = new Set<number>();
  for (const one of happenings) {
    if (isChange(one) ? one.seq === 1 : one.seq === beginning.size + 1 + Number(!beginning.has(1)) && one.by === creator && one.joined) beginning.add(one.seq);
  }
  return happenings.filter(({ seq }) => !beginning.has(seq));
}
