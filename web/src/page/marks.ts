/** A stretch of text, and whether the search found it. */
export interface Mark {
  readonly text: string;
  readonly marked: boolean;
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", '#39': "'", '#34': '"', '#43': '+' };

/**
 * Reads a highlight of the server: HTML-escaped text in which only `<mark>` and `</mark>` are markup. What
 * comes out is text in any case, whatever went in: nobody needs to trust the server for that. Pure.
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

function unescaped(text: string): string {
  return text.replace(/&(#?\w+);/g, (whole, name: string) => entities[name] ?? whole);
}
