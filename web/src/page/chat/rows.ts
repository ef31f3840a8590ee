import { lineIndex, type Line, type Message, type Pending } from '../../client';
import { dayOf } from '../text/time';
import type { Told } from './comings';

/** What is shown above a row: its day, if a new one begins, and the divider before new messages. */
interface Above {
  readonly key: string;
  readonly day: string | null;
  readonly fresh: boolean;
  /** Whether it begins a group of messages by the same sender. */
  readonly first: boolean;
}

/** One row for each of a chat's lines and unsent messages, and for those who came and went. Pure. */
export type Row = Above & ({ readonly kind: 'message'; readonly message: Message } | { readonly kind: 'pending'; readonly pending: Pending } | { readonly kind: 'comings'; readonly told: readonly Told[] });

/** The previous result, kept by the caller: a new message does not recompute a long history. */
export interface Known {
  lines: readonly Line[];
  rows: readonly Row[];
  /** The first new line. */
  fresh: Line | undefined;
}

export const nothingKnown = (): Known => ({ lines: [], rows: [], fresh: undefined });

const groupMs = 5 * 60_000;

/** Messages by others after `newAfter` are new to the user; null for no divider. */
export function rows(lines: readonly Line[], outbox: readonly Pending[], me: string, newAfter: number | null, known = nothingKnown()): Row[] {
  const fresh = newAfter === null ? undefined : firstNew(lines, me, newAfter);
  const out = messageRows(lines, fresh, known);
  Object.assign(known, { lines, rows: out, fresh });
  return [...out, ...pendingRows(unseen(outbox, lines), lines.at(-1)?.message, me)];
}

/** Reuses a row if its line, the line before it and the start of new messages are unchanged. */
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

/** The first new line; undefined if it lies above what is loaded. */
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

/** Drops sends whose message reached the history before the event that settles them. */
function unseen(outbox: readonly Pending[], lines: readonly Line[]): Pending[] {
  return outbox.filter((p) => !p.ack || lineIndex(lines, p.ack.seq) < 0);
}

function pendingRows(outbox: readonly Pending[], last: Message | undefined, me: string): Row[] {
  return outbox.map((pending, i) => {
    const written = new Date(pending.written_at).toISOString();
    const before = outbox[i - 1] ? new Date(outbox[i - 1]!.written_at).toISOString() : last?.created_at;
    const day = before && dayOf(before) === dayOf(written) ? null : written;
    const follows = i > 0 ? !pending.reply_to : last?.sender_id === me && pending.written_at - Date.parse(last.created_at) < groupMs;
    return { kind: 'pending', key: `pending ${pending.key}`, pending, day, fresh: false, first: day !== null || !follows };
  });
}
