import { blocks } from './blocks';
import { direction, unturned } from './letters';
import { withMentions, type IsMention } from './mentions';

/**
 * A message's text as a tree of plain values for components to draw. It contains no HTML, and none
 * is ever made from it, so nothing that anybody writes becomes markup. Pure.
 */
export type Inline =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'mention'; readonly text: string }
  | { readonly kind: 'strong'; readonly children: readonly Inline[] }
  | { readonly kind: 'em'; readonly children: readonly Inline[] }
  | { readonly kind: 'del'; readonly children: readonly Inline[] }
  | { readonly kind: 'link'; readonly href: string; readonly children: readonly Inline[] };

export interface ListItem {
  /** As it was typed; undefined in a list of bullets. */
  readonly number: number | undefined;
  /** Whether a task is done; undefined for other items. */
  readonly checked: boolean | undefined;
  readonly children: readonly Block[];
}

export type Block =
  | { readonly kind: 'paragraph'; readonly children: readonly Inline[] }
  | { readonly kind: 'heading'; readonly children: readonly Inline[] }
  | { readonly kind: 'fence'; readonly language: string; readonly text: string; readonly coloured: boolean }
  | { readonly kind: 'quote'; readonly children: readonly Block[] }
  | { readonly kind: 'list'; readonly marker: 'bullet' | '.' | ')'; readonly items: readonly ListItem[] }
  | { readonly kind: 'table'; readonly align: readonly Align[]; readonly head: readonly Cell[]; readonly rows: readonly (readonly Cell[])[] }
  | { readonly kind: 'rule' };

export type Cell = readonly Inline[];
export type Align = 'left' | 'center' | 'right' | undefined;

/** The emoji that a name between colons stands for, if it is known. */
export type EmojiNamed = (name: string) => string | undefined;

/** How much more a message may take, of nodes or of letters; what exceeds it is shown as written. */
export class Budget {
  constructor(private left: number) {}

  /** Takes so many; reports whether they were left. */
  spend(many = 1): boolean {
    this.left = Math.max(0, this.left - many);
    return this.left > 0;
  }
}

/** What is known while a message is read. */
export interface Reading {
  readonly emoji: EmojiNamed;
  readonly budget: Budget;
  /** How many more letters of code may be coloured, which takes a node for every few of them. */
  readonly colours: Budget;
}

/** So many nodes are drawn at once without a delay that anybody would notice. */
const mostNodes = 1_000;
const mostColoured = 6_000;
/** A preview shows a line of a message, so only its beginning is read. */
const mostPreviewed = 1_000;

const nobody: IsMention = () => false;
const unknown: EmojiNamed = () => undefined;

/** Reads a message's body, in a time by its length and into a bounded number of nodes. */
export function parse(body: string, isMention = nobody, emoji = unknown): Block[] {
  return withMentions(body, isMention, (text) =>
    text ? blocks(text.split(/\r\n?|\n/), { emoji, budget: new Budget(mostNodes), colours: new Budget(mostColoured) }) : [],
  );
}

/** Only the words, on one line, for previews and notifications. */
export function plain(body: string, emoji = unknown): string {
  const beginning = body.slice(0, mostPreviewed).replace(/[\ud800-\udbff]$/, '');
  return unturned(parse(beginning, nobody, emoji).map(wordsOf).join(' ').replace(/\s+/g, ' ').trim());
}

/** Reports whether a text consists of a few emoji only, which are drawn large. */
export function isJumbo(text: string): boolean {
  return text.length <= 40 && /^(?:\p{RGI_Emoji}\s?){1,5}$/v.test(text.trim());
}

/** The text of a message that is a single paragraph of plain text; undefined for others. */
export function onlyText(blocks: readonly Block[]): string | undefined {
  const [block] = blocks;
  if (blocks.length !== 1 || block?.kind !== 'paragraph' || block.children.length !== 1) return undefined;
  const [part] = block.children;
  return part?.kind === 'text' ? part.text : undefined;
}

/**
 * The direction in which a block is laid out, by its first letter; undefined without one. Code,
 * mentions and links stand apart from the words around them: as in a line, they do not count.
 */
export function directionOf(part: Block | Inline): 'ltr' | 'rtl' | undefined {
  if ('text' in part) return part.kind === 'text' ? direction(part.text) : undefined;
  if (part.kind === 'link') return undefined;
  for (const child of within(part)) {
    const found = directionOf(child);
    if (found) return found;
  }
  return undefined;
}

function wordsOf(part: Block | Inline): string {
  if ('text' in part) return part.text;
  switch (part.kind) {
    case 'rule':
      return '';
    case 'list':
      return part.items.map(({ number, children }) => [...(number === undefined ? [] : [`${number}${part.marker}`]), ...children.map(wordsOf)].join(' ')).join(' ');
    case 'table':
      return [part.head, ...part.rows].map((row) => row.map((cell) => cell.map(wordsOf).join('')).join(' ')).join(' ');
    default:
      return part.children.map(wordsOf).join(part.kind === 'quote' ? ' ' : '');
  }
}

/** What a part holds. */
function within(part: Exclude<Block | Inline, { text: string }>): readonly (Block | Inline)[] {
  if (part.kind === 'rule') return [];
  if (part.kind === 'list') return part.items.flatMap(({ children }) => children);
  return part.kind === 'table' ? [part.head, ...part.rows].flat(2) : part.children;
}
