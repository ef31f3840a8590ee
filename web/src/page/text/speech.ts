/** A part of a text: from an index up to another. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const fenced = /^(`{3,}|~{3,})([^`~]*)$/;
const quoteOrItem = /^[ \t]*(>|(?:[-+*]|\d{1,9}[.)])(?=[ \t]))/;

/**
 * The parts of a body between its code: that is fenced blocks, and spans in backticks. As the server
 * reads it (chat/speech.go).
 */
export function speechIn(body: string): Span[] {
  if (!/`|~~~/.test(body)) return [{ from: 0, to: body.length }];
  const speech: Span[] = [];
  let paragraph = 0;
  let fence = '';
  let depth = 0;
  const endParagraph = (at: number) => {
    speech.push(...betweenSpans(body, paragraph, at));
    paragraph = at;
  };
  for (const { 0: line, index: at } of body.matchAll(/[^\n]*\n|[^\n]+$/g)) {
    const end = at + line.length;
    if (fence) {
      const inside = unquoted(line, depth);
      if (inside.depth === depth) {
        const [, mark = '', info = ''] = fenced.exec(inside.rest) ?? [];
        if (mark.startsWith(fence) && !trimmed(info)) [fence, paragraph] = ['', end];
        continue;
      }
      [fence, paragraph] = ['', at]; // the quote that held it has ended
    }
    const read = unwrapped(line);
    const mark = fenced.exec(read.rest)?.[1] ?? '';
    const heading = /^#{1,6}[ \t]/.test(read.rest);
    if (mark || heading || read.item || read.depth !== depth || !read.rest) endParagraph(at);
    if (heading) endParagraph(end);
    [fence, depth] = [mark, read.depth];
  }
  if (!fence) endParagraph(body.length);
  return speech;
}

/** The parts of a paragraph between its spans in backticks. */
function betweenSpans(body: string, start: number, end: number): Span[] {
  const text = body.slice(start, end);
  const between: Span[] = [];
  /** Lengths of runs that nothing ends: each is looked for only once, or reading would take quadratic time. */
  const endless = new Set<number>();
  let from = 0;
  // What follows a backslash, a backtick too, does not begin a span.
  const begins = /\\[^]?|(`+)/g;
  for (let found = begins.exec(text); found; found = begins.exec(text)) {
    const length = found[1]?.length ?? 0;
    if (length === 0 || endless.has(length)) continue;
    const behind = closing(text, begins.lastIndex, length);
    if (behind === 0) {
      endless.add(length);
      continue;
    }
    between.push({ from: start + from, to: start + found.index });
    from = begins.lastIndex = behind;
  }
  between.push({ from: start + from, to: end });
  return between;
}

/** The index behind the first run of exactly so many backticks; 0 if there is none. */
function closing(text: string, from: number, length: number): number {
  const run = /`+/g;
  run.lastIndex = from;
  for (let found = run.exec(text); found; found = run.exec(text)) {
    if (found[0].length === length) return run.lastIndex;
  }
  return 0;
}

const beginning = /^[ \t\r\n]+/;

/** A line without white space around it. A regular expression would take quadratic time. */
function trimmed(line: string): string {
  let end = line.length;
  while (end > 0 && ' \t\r\n'.includes(line[end - 1]!)) end--;
  return line.slice(0, end).replace(beginning, '');
}

/** A line without the marks of quotes and of list items that it begins with. */
function unwrapped(line: string): { rest: string; depth: number; item: boolean } {
  let [rest, depth, item] = [trimmed(line), 0, false];
  for (let found = quoteOrItem.exec(rest); found; found = quoteOrItem.exec(rest)) {
    if (found[1] === '>') depth++;
    else item = true;
    rest = rest.slice(found[0].length);
  }
  return { rest: trimmed(rest), depth, item };
}

/** A line without up to `limit` marks of quotes that it begins with. */
function unquoted(line: string, limit: number): { rest: string; depth: number } {
  let [rest, depth] = [trimmed(line), 0];
  for (; depth < limit && rest.startsWith('>'); depth++) rest = rest.slice(1).replace(beginning, '');
  return { rest, depth };
}
