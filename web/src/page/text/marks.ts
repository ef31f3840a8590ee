/** A piece of text, and whether it matched the search. */
export interface Mark {
  readonly text: string;
  readonly marked: boolean;
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", '#39': "'", '#34': '"', '#43': '+' };

/**
 * Parses a highlight from the server: HTML-escaped text in which only `<mark>` and `</mark>` are
 * markup. The result is text whatever the input, so the server need not be trusted. Pure.
 */
export function marks(highlight: string): Mark[] {
  const found: Mark[] = [];
  let marked = false;
  for (const piece of highlight.split(/(<\/?mark>)/)) {
    if (piece === '<mark>') marked = true;
    else if (piece === '</mark>') marked = false;
    else if (piece) found.push({ text: unescaped(piece), marked });
  }
  return found;
}

const [from, to] = ['\ue000', '\ue001'];

/** The same for a message's text: its words, without the signs of its formatting. Pure. */
export function shownMarks(highlight: string, plain: (body: string) => string): Mark[] {
  const body = marks(highlight.replace(/[\ue000\ue001]/g, '')).map(({ text, marked }) => (marked ? from + text + to : text)).join('');
  return plain(body)
    .split(/(\ue000[^\ue001]*\ue001?)/)
    .map((piece) => ({ text: piece.replace(/[\ue000\ue001]/g, ''), marked: piece.startsWith(from!) }))
    .filter(({ text }) => text !== '');
}

function unescaped(text: string): string {
  return text.replace(/&(#?\w+);/g, (whole, name: string) => entities[name] ?? whole);
}
