import { lineIndex, type Message, type Pending, type Timeline } from '../client';
import { dayOf } from './time';

/** A chat's timeline as the rows of a page. Pure. */
export type Row =
  | { readonly kind: 'day'; readonly key: string; readonly ts: string }
  | { readonly kind: 'new'; readonly key: string }
  | { readonly kind: 'message'; readonly key: string; readonly message: Message; readonly first: boolean }
  | { readonly kind: 'pending'; readonly key: string; readonly pending: Pending; readonly first: boolean };

const groupMs = 5 * 60_000;

/** `newAfter` is the seq after which messages by others are new to the reader; null for no such line. */
export function rows(timeline: Timeline, outbox: readonly Pending[], me: string, newAfter: number | null): Row[] {
  const out: Row[] = [];
  let before: Message | undefined;
  let marked = newAfter === null;
  for (const { message } of timeline.lines) {
    if (!before || dayOf(before.created_at) !== dayOf(message.created_at)) {
      out.push({ kind: 'day', key: `day ${message.id}`, ts: message.created_at });
      before = undefined;
    }
    if (!marked && message.seq > newAfter! && message.sender_id !== me) {
      marked = true;
      out.push({ kind: 'new', key: 'new' });
      before = undefined;
    }
    out.push({ kind: 'message', key: message.id, message, first: !groups(before, message) });
    before = message;
  }
  return [...out, ...pendingRows(unseen(outbox, timeline), before, me)];
}

function groups(before: Message | undefined, message: Message): boolean {
  if (!before || before.sender_id !== message.sender_id || message.reply_to) return false;
  return Date.parse(message.created_at) - Date.parse(before.created_at) < groupMs;
}

/** History may show a message before the event that settles its send. */
function unseen(outbox: readonly Pending[], { lines }: Timeline): Pending[] {
  return outbox.filter((p) => !p.ack || lineIndex(lines, p.ack.seq) < 0);
}

function pendingRows(outbox: readonly Pending[], last: Message | undefined, me: string): Row[] {
  const follows = last?.sender_id === me && Date.now() - Date.parse(last.created_at) < groupMs;
  return outbox.map((pending, i) => ({
    kind: 'pending',
    key: `pending ${pending.key}`,
    pending,
    first: i === 0 ? !follows : !!pending.reply_to,
  }));
}
