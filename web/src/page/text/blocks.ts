import { differences } from './diff';
import { inlines } from './inlines';
import { isBlank } from './letters';
import { listAt, markerOf } from './lists';
import type { Block, Reading } from './markdown';
import { tableAt } from './tables';

/** A block, or lines of text, and the index of the line behind. */
export interface Found {
  /** Undefined if the lines are text. */
  readonly block: Block | undefined;
  readonly end: number;
}

/** How deep quotes and lists are within one another; what is deeper is shown as written. */
const deepest = 8;
/** What is drawn around code: a box, the name of its language, a button to copy it. */
const nodesAroundCode = 6;

const heading = /^#{1,6}[ \t]+(.*)$/;
const quoted = /^>(?:[ \t](.*)|)$/;
const rule = /^([-*_])(?:[ \t]*\1){2,}[ \t]*$/;
const fence = /^([ \t]{0,3})(`{3,}|~{3,})([^`~]*)$/;
/** What names the language of a fenced block. Anything else is its first line. */
const language = /^[\w.+#-]*$/;
const hidden = /^([ \t]*(?:\d{1,9})?)\\(.*)$/;

/** Reads lines into blocks. A sign at the beginning of a line means something only before words. */
export function blocks(lines: readonly string[], reading: Reading, depth = 0): Block[] {
  // Rules and blank lines that separate nothing are shown as they were typed.
  const separates = lines.some((line) => !isBlank(line) && !rule.test(line));
  if (depth > deepest || !separates) return [textBlock(lines)];
  const differs = differences(lines, (line) => isBlank(line) || fence.test(line));
  const found: Block[] = [];
  let words: string[] = [];
  let blank = 0;
  const flush = () => {
    if (words.length > 0) found.push({ kind: 'paragraph', children: inlines(words.join('\n'), reading) });
    words = [];
  };
  for (let i = 0; i < lines.length; ) {
    const { block, end } = blockAt(lines, i, reading, depth, differs(i)) ?? { block: undefined, end: i + 1 };
    const nothing = !block && isBlank(lines[i]!);
    if (block || nothing) flush();
    // One blank line only separates blocks; further ones are part of the text.
    if (!nothing && blank > 1 && found.length > 0) found.push(textBlock(lines.slice(i - blank, i)));
    blank = nothing ? blank + 1 : 0;
    if (block) found.push(block);
    else if (!nothing) for (const line of lines.slice(i, end)) words.push(shown(line));
    i = end;
    if (words.length <= 1 && !reading.budget.spend()) {
      words.push(...lines.slice(i));
      break;
    }
  }
  flush();
  return found;
}

export function textBlock(lines: readonly string[]): Block {
  return { kind: 'paragraph', children: [{ kind: 'text', text: lines.join('\n') }] };
}

function blockAt(lines: readonly string[], at: number, reading: Reading, depth: number, differs: boolean): Found | undefined {
  const within = (held: readonly string[]) => blocks(held, reading, depth + 1);
  return (
    fenceAt(lines, at, reading) ??
    headingAt(lines, at, reading) ??
    quoteAt(lines, at, within) ??
    (differs ? undefined : (ruleAt(lines, at) ?? listAt(lines, at, within, reading.budget))) ??
    tableAt(lines, at, reading)
  );
}

function ruleAt(lines: readonly string[], at: number): Found | undefined {
  return rule.test(lines[at]!) ? { block: { kind: 'rule' }, end: at + 1 } : undefined;
}

function headingAt(lines: readonly string[], at: number, reading: Reading): Found | undefined {
  const title = titleOf(lines[at]!);
  return title === undefined ? undefined : { block: { kind: 'heading', children: inlines(title, reading) }, end: at + 1 };
}

/** The words of a heading; undefined for other lines. */
function titleOf(line: string): string | undefined {
  const title = heading.exec(line)?.[1];
  return title === undefined || isBlank(title.replaceAll('#', '')) ? undefined : title;
}

function quoteAt(lines: readonly string[], at: number, within: (lines: readonly string[]) => Block[]): Found | undefined {
  const held: string[] = [];
  for (let found = quoted.exec(lines[at]!); found; found = quoted.exec(lines[at + held.length] ?? '')) held.push(found[1] ?? '');
  if (held.length === 0) return undefined;
  return { block: held.every(isBlank) ? undefined : { kind: 'quote', children: within(held) }, end: at + held.length };
}

/** Code between fences, or from one to the end. Fences around nothing are text. */
function fenceAt(lines: readonly string[], at: number, reading: Reading): Found | undefined {
  const [, indent, marks, behind] = fence.exec(lines[at]!) ?? [];
  if (!marks) return undefined;
  let end = at + 1;
  while (end < lines.length && !endsFence(lines[end]!, marks)) end++;
  const code = lines.slice(at + 1, end).map((line) => line.replace(new RegExp(`^[ \\t]{0,${indent!.length}}`), ''));
  const named = language.test(behind!.trim());
  if (!named) code.unshift(behind!.trim());
  if (code.every(isBlank)) return { block: textBlock(lines.slice(at, end + 1)), end: end + 1 };
  const [name, text] = [named ? behind!.trim() : '', code.join('\n')];
  reading.budget.spend(nodesAroundCode);
  return { block: { kind: 'fence', language: name, text, coloured: name !== '' && reading.colours.spend(text.length) }, end: end + 1 };
}

function endsFence(line: string, marks: string): boolean {
  const found = line.trim();
  return found.length >= marks.length && found === marks[0]!.repeat(found.length);
}

/** A line without the backslash that keeps it from beginning something else. */
function shown(line: string): string {
  const [, before, behind] = hidden.exec(line) ?? [];
  if (behind === undefined) return line;
  const bare = `${before}${behind}`;
  const means = titleOf(bare) !== undefined || !isBlank(quoted.exec(bare)?.[1] ?? '') || rule.test(bare) || markerOf(bare) !== undefined;
  return means ? bare : line;
}
