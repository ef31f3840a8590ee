import type { Row } from './rows';

/** What of a list of messages is in view, and how far that lets the user have read. Pure. */

/** As much of the list as this needs. */
export interface Laid {
  findItemIndex(offset: number): number;
  getItemOffset(index: number): number;
  getItemSize(index: number): number;
}

/** The first row in view, even in part, and the last one that can be read to its end. */
export interface Sight {
  readonly first: number;
  readonly last: number;
}

/** A row that is cut by less than this can be read. */
const cut = 8;

/** What is in view from `top` on, `height` pixels of a list that begins at `margin`. */
export function sightOf(list: Laid, margin: number, top: number, height: number): Sight {
  const bottom = top + height;
  const index = list.findItemIndex(bottom - 1);
  const from = margin + list.getItemOffset(index);
  const size = list.getItemSize(index);
  // What is higher than the view is read once half of the view shows it.
  const whole = from + size <= bottom + cut || (size > height && from < bottom - height / 2);
  return { first: list.findItemIndex(top + 1), last: whole ? index : index - 1 };
}

/**
 * The seq up to which a user who has read to `read` has seen everything by now. Messages that were
 * leapt over were not: between `read` and what is in view, none may lie. `begins` reports whether
 * the first row is the beginning of the chat.
 */
export function seenUpTo(rows: readonly Row[], { first, last }: Sight, read: number, begins: boolean): number {
  const before = messageSeq(rows, first - 1);
  const follows = before === 0 ? begins || firstSeq(rows) <= read + 1 : before <= read;
  return follows ? Math.max(read, messageSeq(rows, last)) : read;
}

/** The seq of the last message at or above a row; 0 without one. */
function messageSeq(rows: readonly Row[], index: number): number {
  for (let i = Math.min(index, rows.length - 1); i >= 0; i--) {
    const row = rows[i]!;
    if (row.kind === 'message') return row.message.seq;
  }
  return 0;
}

function firstSeq(rows: readonly Row[]): number {
  const row = rows.find(({ kind }) => kind === 'message');
  return row?.kind === 'message' ? row.message.seq : Infinity;
}
