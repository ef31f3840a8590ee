import { lineIndex, type Line, type Message, type Pending } from '../client';
import { dayOf } from './time';

/** What stands above a row: its day, where another begins, and the line before what is new. */
interface Above {
  readonly key: string;
  readonly day: string | null;
  readonly fresh: boolean;
  /** Whether it begins a group of the same sender. */
  readonly first: boolean;
}

/** A chat's lines and unsent messages as the rows of a page, a row for each. Pure. */
export type Row = Above & ({ readonly kind: 'message'; readonly message: Message } | { readonly kind: 'pending'; readonly pending: Pending });

/** Rows that were made before: a long history is not computed anew for each message that comes. */
export type Known = WeakMap<Line, { readonly before: Message | undefined; readonly row: Row }>;

const groupMs = 5 * 60_000;

/** `newAfter` is the seq after which messages by others are new to the reader; null for no such line. */
export function rows(lines: readonly Line[], outbox: readonly Pending[], me: string, newAfter: number | null, known: Known = new WeakMap()): Row[] {
  const out: Row[] = [];
  const fresh = newAfter === null ? -1 : firstNew(lines, me, newAfter);
  let before: Message | undefined;
  lines.forEach((line, i) => {
    const held = known.get(line);
    const row = held?.before === before && held && held.row.fresh === (i === fresh) ? held.row : rowOf(line.message, before, i === fresh);
    if (row !== held?.row) known.set(line, { before, row });
    out.push(row);
    before = line.message;
  });
  return [...out, ...pendingRows(unseen(outbox, lines), before, me)];
}

function rowOf(message: Message, before: Message | undefined, fresh: boolean): Row {
  const day = before && dayOf(before.created_at) === dayOf(message.created_at) ? null : message.created_at;
  const first = day !== null || fresh || !groups(before, message);
  return { kind: 'message', key: message.id, message, day, fresh, first };
}

/** Where what is new begins; nowhere when that is further up than what is loaded. */
function firstNew(lines: readonly Line[], me: string, newAfter: number): number {
  const first = lines[0]?.message.seq ?? 0;
  if (newAfter > 0 && first > newAfter + 1 && lines.length >= 50) return -1;
  return lines.findIndex(({ message }) => message.seq > newAfter && message.sender_id !== me);
}

function groups(before: Message | undefined, message: Message): boolean {
  if (!before || before.sender_id !== message.sender_id || message.reply_to) return false;
  return Date.parse(message.created_at) - Date.parse(before.created_at) < groupMs;
}

/** History may show a message before the event that settles its send. */
function unseen(outbox: readonly Pending[], lines: readonly Line[]): Pending[] {
  return outbox.filter((p) => !p.ack || lineIndex(lines, p.ack.seq) < 0);
}

function pendingRows(outbox: readonly Pending[], last: Message | undefined, me: string): Row[] {
  const follows = last?.sender_id === me && Date.now() - Date.parse(last.created_at) < groupMs;
  return outbox.map((pending, i) => ({
    kind: 'pending',
    key: `pending ${pending.key}`,
    pending,
    day: null,
    fresh: false,
    first: i === 0 ? !follows : !!pending.reply_to,
  }));
}
