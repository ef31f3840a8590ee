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

/** What was made last, kept by who asks for it: a long history is not computed anew for each message that comes. */
export interface Known {
  lines: readonly Line[];
  rows: readonly Row[];
  /** Where what is new began. */
  fresh: Line | undefined;
}

export const nothingKnown = (): Known => ({ lines: [], rows: [], fresh: undefined });

const groupMs = 5 * 60_000;

/** `newAfter` is the seq after which messages by others are new to the reader; null for no such line. */
export function rows(lines: readonly Line[], outbox: readonly Pending[], me: string, newAfter: number | null, known = nothingKnown()): Row[] {
  const fresh = newAfter === null ? undefined : firstNew(lines, me, newAfter);
  const out = messageRows(lines, fresh, known);
  Object.assign(known, { lines, rows: out, fresh });
  return [...out, ...pendingRows(unseen(outbox, lines), lines.at(-1)?.message, me)];
}

/** A row stands as it was made when its line, the line before and the beginning of what is new are the same. */
function messageRows(lines: readonly Line[], fresh: Line | undefined, known: Known): Row[] {
  const make = (i: number) => rowOf(lines[i]!.message, lines[i - 1]?.message, lines[i] === fresh);
  const head = sameHead(lines, known.lines);
  const tail = sameTail(lines, known.lines, head);
  const out = known.rows.slice(0, head);
  for (let i = head; i < lines.length - tail; i++) out.push(make(i));
  const rest = known.rows.slice(known.rows.length - tail);
  const all = tail > 0 ? out.concat(rest) : out;
  const again = [lines.length - tail, ...(fresh === known.fresh ? [] : [fresh, known.fresh].map((line) => (line ? lineIndex(lines, line.message.seq) : -1)))];
  for (const i of again) if (i >= 0 && i < lines.length) all[i] = make(i);
  return all;
}

function sameHead(a: readonly Line[], b: readonly Line[]): number {
  const most = Math.min(a.length, b.length);
  let n = 0;
  while (n < most && a[n] === b[n]) n++;
  return n;
}

function sameTail(a: readonly Line[], b: readonly Line[], head: number): number {
  const most = Math.min(a.length, b.length) - head;
  let n = 0;
  while (n < most && a[a.length - 1 - n] === b[b.length - 1 - n]) n++;
  return n;
}

function rowOf(message: Message, before: Message | undefined, fresh: boolean): Row {
  const day = before && dayOf(before.created_at) === dayOf(message.created_at) ? null : message.created_at;
  const first = day !== null || fresh || !groups(before, message);
  return { kind: 'message', key: message.id, message, day, fresh, first };
}

/** Where what is new begins; nowhere when that is further up than what is loaded. */
function firstNew(lines: readonly Line[], me: string, newAfter: number): Line | undefined {
  const first = lines[0]?.message.seq ?? 0;
  if (newAfter > 0 && first > newAfter + 1 && lines.length >= 50) return undefined;
  for (let i = firstAfter(lines, newAfter); i < lines.length; i++) if (lines[i]!.message.sender_id !== me) return lines[i];
  return undefined;
}

function firstAfter(lines: readonly Line[], seq: number): number {
  let low = 0;
  let high = lines.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    if (lines[mid]!.message.seq > seq) high = mid;
    else low = mid + 1;
  }
  return low;
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
