import { append, emphasised } from './emphasis';
import { charAt, charBefore, inWord, isBlank } from './letters';
import { addressAt, angledAt, mailAround, targetAt, type Address } from './links';
import type { Inline, Reading } from './markdown';
import { runAt, type Run } from './runs';

/** Reads the text of a paragraph, a heading or a cell, in one pass and in a time by its length. */
export function inlines(text: string, reading: Reading): Inline[] {
  return new Inlines(text, reading).read();
}

/** A bracket that a link may have begun with, and its index among the parts. */
interface Bracket {
  readonly at: number;
  readonly sign: string;
  readonly escaped: boolean;
}

const special = /\\+|`+|[*_~]|!?\[|\]|<|@|:|https?:\/\/|www\./gi;
const emojiName = /:([a-z0-9_+-]{1,50}):/y;

class Inlines {
  private readonly parts: (Inline | Run)[] = [];
  /** Where the text begins that is not among the parts yet. */
  private from = 0;
  private brackets: Bracket[] = [];
  /** By kind, the length of the last run that may have begun an emphasis around what follows. */
  private readonly begun = new Map<string, number>();
  /** Where each run of backticks begins, by its length. */
  private readonly ticks = new Map<number, number[]>();
  /** Runs of backticks that a backslash kept from ending code. */
  private readonly bareTicks = new Set<number>();
  private lastEmoji = -1;

  constructor(
    private readonly text: string,
    private readonly reading: Reading,
  ) {
    for (const { 0: run, index } of text.matchAll(/`+/g)) {
      const known = this.ticks.get(run.length);
      if (known) known.push(index);
      else this.ticks.set(run.length, [index]);
    }
    for (const found of this.ticks.values()) found.reverse();
  }

  read(): Inline[] {
    const pattern = new RegExp(special);
    for (let found = pattern.exec(this.text); found; found = pattern.exec(this.text)) {
      pattern.lastIndex = this.step(found[0], found.index) ?? pattern.lastIndex;
    }
    this.flush(this.text.length);
    return emphasised(this.parts, this.reading.budget);
  }

  /** Reads what a special sign begins. Returns the index behind it; undefined if it is text. */
  private step(sign: string, at: number): number | undefined {
    switch (sign[0]) {
      case '\\':
        // Of two backslashes the first does not hide the second: both stay.
        return sign.length % 2 === 1 ? this.escape(at + sign.length - 1) : undefined;
      case '`':
        return this.code(sign, at);
      case '*':
      case '_':
      case '~':
        return this.run(at);
      case '!':
      case '[':
        return this.bracket(sign, at, false);
      case ']':
        return this.endLink(at, false);
      case '<':
        return this.address(at, angledAt(this.text, at), 1);
      case '@':
        return this.mail(at);
      case ':':
        return this.emoji(at);
      default:
        return this.address(at, addressAt(this.text, at, this.endsEmphasis), 0);
    }
  }

  /** A backslash: it is shown, unless what follows would have meant something. */
  private escape(at: number): number | undefined {
    const next = at + 1;
    switch (this.text[next]) {
      case '*':
      case '_':
      case '~':
        return this.run(at);
      case '`':
        return this.bare(at, this.escapedTicks(next));
      case '!':
        return this.text[next + 1] === '[' ? this.bracket('![', next, true) : undefined;
      case '[':
        return this.bracket('[', next, true);
      case ']':
        return this.endLink(next, true);
      case '<':
        return this.bare(at, angledAt(this.text, next) && next + 1);
      case ':':
        return this.bare(at, this.emojiAt(next)?.end);
      default:
        return undefined;
    }
  }

  /** Leaves out the backslash at an index, if what it hides ends somewhere. */
  private bare(at: number, end: number | undefined): number | undefined {
    if (end === undefined) return undefined;
    this.flush(at);
    this.from = at + 1;
    return end;
  }

  private code(run: string, at: number): number | undefined {
    const end = at + run.length;
    if (this.bareTicks.has(at)) return end;
    const close = this.closingTicks(run.length, end);
    const inner = this.text.slice(end, close);
    if (close === undefined || isBlank(inner) || !this.reading.budget.spend()) return end;
    this.put(at, { kind: 'code', text: /^ .* $/s.test(inner) ? inner.slice(1, -1) : inner }, close + run.length);
    return this.from;
  }

  /** Where the next run of so many backticks begins. */
  private closingTicks(length: number, from: number): number | undefined {
    const found = this.ticks.get(length) ?? [];
    while (found.length > 0 && found.at(-1)! < from) found.pop();
    return found.at(-1);
  }

  /** The index behind backticks that would have begun code but for a backslash. */
  private escapedTicks(at: number): number | undefined {
    const end = at + /^`+/.exec(this.text.slice(at, at + 100))![0].length;
    if (this.bareTicks.has(at)) return end;
    const close = this.closingTicks(end - at, end);
    if (close === undefined) return undefined;
    this.bareTicks.add(close);
    return end;
  }

  private run(at: number): number {
    const run = runAt(this.text, at);
    const end = at + run.text.length;
    if (!run.opens && !run.closes) return end;
    if (run.closes && this.begun.get(run.char) === run.length) this.begun.delete(run.char);
    else if (run.opens && !run.escaped) this.begun.set(run.char, run.length);
    this.flush(at);
    this.parts.push(run);
    this.from = end;
    return end;
  }

  /** Reports whether a mark ends an emphasis that has begun before. */
  private endsEmphasis = (at: number): boolean => {
    const length = this.begun.get(this.text[at]!);
    if (length === undefined) return false;
    const run = runAt(this.text, at);
    return run.closes && run.length === length;
  };

  private bracket(sign: string, at: number, escaped: boolean): number {
    this.flush(escaped ? at - 1 : at);
    this.brackets.push({ at: this.parts.length, sign, escaped });
    this.flush(at + sign.length);
    return this.from;
  }

  /** Makes a link of what follows the last bracket, if an address follows that may be followed. */
  private endLink(at: number, escaped: boolean): number {
    const begun = this.brackets.pop();
    const target = begun && targetAt(this.text, at + 1);
    if (!target) return at + 1;
    this.flush(escaped ? at - 1 : at);
    const held = this.parts.slice(begun.at + 1);
    const image = begun.sign !== '[';
    if (!image && !held.some(isSeen)) return at + 1;
    if (begun.escaped || escaped) {
      if (begun.escaped) this.parts[begun.at] = { kind: 'text', text: begun.sign };
      this.from = at;
      return at + 1;
    }
    if (!this.reading.budget.spend()) return at + 1;
    this.parts.length = begun.at;
    // A link holds no other, but may hold an image.
    if (!image) this.brackets = [];
    const words = emphasised(held, this.reading.budget).reduce(unlinked, []);
    this.put(at, { kind: 'link', href: target.href, children: words.length > 0 ? words : [{ kind: 'text', text: target.href }] }, target.end);
    return target.end;
  }

  /** Puts an address, as it was typed but for `around` signs on each side. */
  private address(at: number, found: Address | undefined, around: number): number | undefined {
    if (!found || !this.reading.budget.spend()) return undefined;
    this.put(at, { kind: 'link', href: found.href, children: [{ kind: 'text', text: this.text.slice(at + around, found.end - around) }] }, found.end);
    return found.end;
  }

  private mail(at: number): number | undefined {
    const found = mailAround(this.text, at, this.from);
    return found && this.address(found.start, found, 0);
  }

  private emoji(at: number): number | undefined {
    const found = this.emojiAt(at);
    if (!found) return undefined;
    this.put(at, { kind: 'text', text: found.emoji }, found.end);
    this.lastEmoji = found.end;
    return found.end;
  }

  /** The emoji whose name begins at a colon, apart from words and other colons. */
  private emojiAt(at: number): { readonly emoji: string; readonly end: number } | undefined {
    emojiName.lastIndex = at;
    const [whole, name] = emojiName.exec(this.text) ?? [];
    if (!whole) return undefined;
    const [before, end] = [charBefore(this.text, at), at + whole.length];
    if (at !== this.lastEmoji && (before === ':' || inWord(before))) return undefined;
    const emoji = inWord(charAt(this.text, end)) ? undefined : this.reading.emoji(name!);
    return emoji === undefined ? undefined : { emoji, end };
  }

  private put(at: number, part: Inline, end: number): void {
    this.flush(at);
    this.parts.push(part);
    this.from = end;
  }

  private flush(to: number): void {
    if (to > this.from) this.parts.push({ kind: 'text', text: this.text.slice(this.from, to) });
    this.from = to;
  }
}

const isSeen = (part: Inline | Run) => !('text' in part) || !isBlank(part.text);

/** Appends what a part holds, without the link that it may be. */
function unlinked(words: Inline[], part: Inline): Inline[] {
  if (part.kind === 'link') part.children.forEach((child) => append(words, child));
  else if ('children' in part) words.push({ ...part, children: part.children.reduce(unlinked, []) });
  else append(words, part);
  return words;
}
