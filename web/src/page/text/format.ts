/** A text and its selection, as in a text area. */
export interface Edited {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** Puts marks around the selection, or removes them. Pure, like everything here. */
export function wrap({ text, from, to }: Edited, mark: string): Edited {
  const n = mark.length;
  if (text.slice(from - n, from) === mark && text.slice(to, to + n) === mark) {
    return { text: text.slice(0, from - n) + text.slice(from, to) + text.slice(to + n), from: from - n, to: to - n };
  }
  return { text: text.slice(0, from) + mark + text.slice(from, to) + mark + text.slice(to), from: from + n, to: to + n };
}

/** Formats the selection as code: with backticks within a line, with a fence across lines. */
export function code(edited: Edited): Edited {
  const { text, from, to } = edited;
  if (!text.slice(from, to).includes('\n')) return wrap(edited, '`');
  const before = from > 0 && text[from - 1] !== '\n' ? '\n```\n' : '```\n';
  const inside = text.slice(from, to);
  return { text: `${text.slice(0, from)}${before}${inside}\n\`\`\`${text.slice(to)}`, from: from + before.length, to: from + before.length + inside.length };
}

/** Prefixes each selected line with the mark, or removes it if all lines have it. */
export function prefix({ text, from, to }: Edited, mark: string): Edited {
  const start = text.lastIndexOf('\n', from - 1) + 1;
  const lines = text.slice(start, to).split('\n');
  const marked = lines.every((line) => line.startsWith(mark));
  const changed = lines.map((line) => (marked ? line.slice(mark.length) : mark + line)).join('\n');
  const step = marked ? -mark.length : mark.length;
  return { text: text.slice(0, start) + changed + text.slice(to), from: Math.max(start, from + step), to: start + changed.length };
}

/** Turns the selection into a link, with the cursor where the address belongs. */
export function link({ text, from, to }: Edited, href = ''): Edited {
  const head = `${text.slice(0, from)}[${text.slice(from, to)}](`;
  const at = href ? head.length + href.length + 1 : head.length;
  return { text: `${head}${href})${text.slice(to)}`, from: at, to: at };
}

/** A part of a text and what takes its place. */
export interface Patch {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * How to turn one text into another with little typing, from the end backwards: browsers take
 * seconds to type a thousand lines. Text that was wrapped or unwrapped stays where it is.
 */
export function patches(before: string, after: string): Patch[] {
  if (before === after) return [];
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < most - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  const [old, now] = [before.slice(head, before.length - tail), after.slice(head, after.length - tail)];
  const end = before.length - tail;
  const inNow = old ? now.indexOf(old) : -1;
  if (inNow >= 0) {
    const parts = [{ from: end, to: end, text: now.slice(inNow + old.length) }, { from: head, to: head, text: now.slice(0, inNow) }];
    return parts.filter(({ text }) => text);
  }
  const inOld = now ? old.indexOf(now) : -1;
  if (inOld >= 0) {
    const parts = [{ from: head + inOld + now.length, to: end, text: '' }, { from: head, to: head + inOld, text: '' }];
    return parts.filter(({ from, to }) => from < to);
  }
  return [{ from: head, to: end, text: now }];
}

/** Replaces the selection. */
export function insert({ text, from, to }: Edited, added: string): Edited {
  const at = from + added.length;
  return { text: text.slice(0, from) + added + text.slice(to), from: at, to: at };
}

/** The mention being typed at the cursor, and where it starts; null if there is none. */
export function mentionAt({ text, from, to }: Edited): { start: number; name: string } | null {
  if (from !== to) return null;
  const match = /(?<![\p{L}\p{Nd}@][\p{Mn}\p{Mc}\u200c\u200d]*)@([\p{L}\p{N}_.-]{0,32})$/u.exec(text.slice(0, from));
  return match ? { start: from - match[1]!.length - 1, name: match[1]!.toLowerCase() } : null;
}
