import type { Found } from './blocks';
import { isBlank } from './letters';
import type { Block, Budget, ListItem } from './markdown';

/** A line that begins an item of a list. */
interface Marker {
  readonly kind: '-' | '*' | '.' | ')';
  readonly number: number | undefined;
  /** The columns before the marker, and before the words. */
  readonly indent: number;
  readonly content: number;
  readonly text: string;
}

const marker = /^([ \t]*)(?:([-*])|(0|[1-9]\d{0,8})([.)]))([ \t]+)(.*)$/;
const task = /^\[([ xX])\][ \t]+(\S.*)$/;
const blank = /^[ \t]*/;

/** The marker of a line. One without words behind it, or with only another one, is text. */
export function markerOf(line: string): Marker | undefined {
  const [, indent, bullet, number, sign, space, text] = marker.exec(line) ?? [];
  if (text === undefined || isBlank(text) || marker.test(text)) return undefined;
  const before = columns(indent!);
  const width = bullet ? 1 : number!.length + 1;
  return {
    kind: (bullet ?? sign) as Marker['kind'],
    number: number === undefined ? undefined : Number(number),
    indent: before,
    content: before + width + (columns(space!) > 4 ? 1 : columns(space!)),
    text,
  };
}

/** The list that begins at a line. Each line below belongs to an item only if it is indented. */
export function listAt(lines: readonly string[], at: number, within: (lines: readonly string[]) => Block[], budget: Budget): Found | undefined {
  const first = markerOf(lines[at]!);
  if (!first) return undefined;
  const items: ListItem[] = [];
  let end = at;
  for (let next: Marker | undefined = first; next && budget.spend(2); next = markerOf(lines[end] ?? '')) {
    if (next.kind !== first.kind || next.indent > first.indent + 1) break;
    const { held, after } = heldBy(next, lines, end + 1);
    items.push(item(next, held, within));
    const beyond = afterBlanks(lines, after);
    end = isSibling(lines[beyond], first) ? beyond : after;
  }
  if (items.length === 0) return undefined;
  return { block: { kind: 'list', marker: first.number === undefined ? 'bullet' : (first.kind as '.' | ')'), items }, end };
}

function item({ number, text }: Marker, held: readonly string[], within: (lines: readonly string[]) => Block[]): ListItem {
  const [, done, words] = task.exec(text) ?? [];
  return { number, checked: done === undefined ? undefined : done !== ' ', children: within([words ?? text, ...held]) };
}

/** The lines below a marker that belong to its item, and the index behind them. */
function heldBy(marker: Marker, lines: readonly string[], from: number): { held: string[]; after: number } {
  const held: string[] = [];
  let [after, cut] = [from, marker.content];
  for (let next = afterBlanks(lines, from); next < lines.length && belongs(lines[next]!, marker); next = afterBlanks(lines, after)) {
    if (held.length === 0) cut = Math.min(cut, indentOf(lines[next]!));
    for (; after <= next; after++) held.push(outdented(lines[after]!, cut));
  }
  return { held, after };
}

/** A line belongs to an item if it is as far in as its words; another marker, if it is farther in. */
function belongs(line: string, { indent, content }: Marker): boolean {
  const own = indentOf(line);
  return own >= content || (own >= indent + 2 && markerOf(line) !== undefined);
}

function isSibling(line: string | undefined, first: Marker): boolean {
  const found = line === undefined ? undefined : markerOf(line);
  return found?.kind === first.kind && found.indent <= first.indent + 1;
}

function afterBlanks(lines: readonly string[], from: number): number {
  let at = from;
  while (at < lines.length && isBlank(lines[at]!)) at++;
  return at;
}

const indentOf = (line: string) => columns(blank.exec(line)![0]);

/** How many columns white space takes, with a tab stop every four. */
function columns(space: string): number {
  let width = 0;
  for (const char of space) width += char === '\t' ? 4 - (width % 4) : 1;
  return width;
}

/** A line without so many columns of white space at its beginning. */
function outdented(line: string, width: number): string {
  const space = blank.exec(line)![0];
  return ' '.repeat(Math.max(0, columns(space) - width)) + line.slice(space.length);
}
