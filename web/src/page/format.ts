/** A text with a selection, as in a text area. */
export interface Edited {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

/** Puts marks around the selection, or takes them away when they are there. Pure, as everything here. */
export function wrap({ text, from, to }: Edited, mark: string): Edited {
  const n = mark.length;
  if (text.slice(from - n, from) === mark && text.slice(to, to + n) === mark) {
    return { text: text.slice(0, from - n) + text.slice(from, to) + text.slice(to + n), from: from - n, to: to - n };
  }
  return { text: text.slice(0, from) + mark + text.slice(from, to) + mark + text.slice(to), from: from + n, to: to + n };
}

/** Code: within a line by backticks, over several by a fence. */
export function code(edited: Edited): Edited {
  const { text, from, to } = edited;
  if (!text.slice(from, to).includes('\n')) return wrap(edited, '`');
  const before = from > 0 && text[from - 1] !== '\n' ? '\n```\n' : '```\n';
  const inside = text.slice(from, to);
  return { text: `${text.slice(0, from)}${before}${inside}\n\`\`\`${text.slice(to)}`, from: from + before.length, to: from + before.length + inside.length };
}

/** Begins each line of the selection with the same, or takes it away from all when all have it. */
export function prefix({ text, from, to }: Edited, mark: string): Edited {
  const start = text.lastIndexOf('\n', from - 1) + 1;
  const lines = text.slice(start, to).split('\n');
  const marked = lines.every((line) => line.startsWith(mark));
  const changed = lines.map((line) => (marked ? line.slice(mark.length) : mark + line)).join('\n');
  const step = marked ? -mark.length : mark.length;
  return { text: text.slice(0, start) + changed + text.slice(to), from: Math.max(start, from + step), to: start + changed.length };
}

/** The selection as the words of a link, with the cursor where its address belongs. */
export function link({ text, from, to }: Edited, href = ''): Edited {
  const head = `${text.slice(0, from)}[${text.slice(from, to)}](`;
  const at = href ? head.length + href.length + 1 : head.length;
  return { text: `${head}${href})${text.slice(to)}`, from: at, to: at };
}

/** Puts a text in the place of the selection. */
export function insert({ text, from, to }: Edited, added: string): Edited {
  const at = from + added.length;
  return { text: text.slice(0, from) + added + text.slice(to), from: at, to: at };
}

/** The beginning of a mention at the cursor, and where it starts; null when none is being written. */
export function mentionAt({ text, from, to }: Edited): { start: number; name: string } | null {
  if (from !== to) return null;
  const match = /(?:^|[^\w@])@([\p{L}\p{N}_.-]{0,32})$/u.exec(text.slice(0, from));
  return match ? { start: from - match[1]!.length - 1, name: match[1]!.toLowerCase() } : null;
}
