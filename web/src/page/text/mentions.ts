import type { Block, Inline } from './markdown';
import { speechIn, type Span } from './speech';

/** Reports whether the server recognized a name, in lower case, as a mention. */
export type IsMention = (name: string) => boolean;

const longestName = 32;
/** How many mentions of one body are drawn, besides the first of each name. */
const mostDrawn = 200;

/** An @ with what may be a name, or a word; a word may begin an address. */
const wordOrMention =
  /(?<![\p{L}\p{Nd}][\p{Mn}\p{Mc}\u200c\u200d]*)@([A-Za-z0-9._-]+)|([\p{L}\p{M}\p{Nd}\u200c\u200d][\p{L}\p{M}\p{Nd}\u200c\u200d.-]*)(?:(:\/\/)|((?::[0-9]+)?\/))?/gu;
const topLevel = /^(?:xn--.*|[\p{L}\p{M}]{2,})$/iu;
const endsAddress = /[\s<>"`\\|\p{Z}\p{Cc}]|(?![\u200c\u200d])\p{Cf}|(?!\p{ASCII})\p{P}/u;

/**
 * Where a body mentions somebody: the grammar of the server (chat/mention.go), so that whoever is
 * notified is drawn as mentioned. Both are tested with chat/testdata/mentions.json. Pure.
 */
export function mentionsIn(body: string, isMention: IsMention): Span[] {
  if (!body.includes('@')) return [];
  return speechIn(body).flatMap(({ from, to }) => {
    const part = body.slice(from, to);
    const found: Span[] = [];
    wordOrMention.lastIndex = 0;
    for (let match = wordOrMention.exec(part); match; match = wordOrMention.exec(part)) {
      const [whole, token, word = '', scheme, path] = match;
      const at = match.index;
      if (token) {
        const name = candidates(token).find(isMention);
        if (name) found.push({ from: from + at, to: from + at + 1 + name.length });
      } else if (scheme || (path && isHost(word))) wordOrMention.lastIndex = addressEnd(part, at + whole.length);
      else wordOrMention.lastIndex = at + word.length;
    }
    return found;
  });
}

/** The names that what follows an @ may mean, longest first. */
function candidates(token: string): string[] {
  let least = token.length;
  while (least > 0 && '._-'.includes(token[least - 1]!)) least--;
  if (least > longestName) return [];
  const longest = token.slice(0, longestName).toLowerCase();
  return Array.from({ length: longest.length - least + 1 }, (_, i) => longest.slice(0, longest.length - i));
}

/** Reports whether a word is the name of a host. Ordinary words that a / divides are not. */
function isHost(word: string): boolean {
  const labels = word.replace(/\.$/, '').replace(/^.*\.\./, '').split('.');
  if (labels.length === 1) return labels[0]!.toLowerCase() === 'localhost';
  return labels.every((label) => /^\d*$/.test(label)) ? labels.length === 4 : topLevel.test(labels.at(-1)!);
}

/** Where an address ends: before what none contains, or a bracket that closes one around it. */
function addressEnd(text: string, from: number): number {
  const open: string[] = [];
  let at = from;
  for (const char of text.slice(from)) {
    if (endsAddress.test(char)) break;
    if ('([{'.includes(char)) open.push(char);
    else if (')]}'.includes(char) && !open.pop()) break;
    at += char.length;
  }
  return at;
}

/** Noncharacters that stand for the signs of a mention while Markdown is read, which means others by them. */
const hidden: Readonly<Record<string, string>> = { '@': '\ufdd0', '.': '\ufdd1', '-': '\ufdd2', _: '\ufdd3' };
const shown: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(hidden).map(([sign, mark]) => [mark, sign]));
const reveal = (text: string) => text.replace(/[\ufdd0-\ufdd3]/g, (mark) => shown[mark]!);

/**
 * Reads a body as Markdown and draws all its mentions. Where Markdown would draw one as something
 * else (in the title of a link), the body is shown as it was typed.
 */
export function withMentions(body: string, isMention: IsMention, read: (body: string) => Block[]): Block[] {
  const found = bounded(body, mentionsIn(body, isMention));
  if (found.length === 0) return read(body);
  const typed = body.replace(/[\ufdd0-\ufdd3]/g, '\ufffd');
  let [masked, from] = ['', 0];
  for (const at of found) {
    masked += typed.slice(from, at.from) + typed.slice(at.from, at.to).replace(/[@._-]/g, (sign) => hidden[sign]!);
    from = at.to;
  }
  masked += typed.slice(from);
  const drawn = drawMentions(read(masked));
  return drawn.mentions === found.length ? drawn.blocks : [{ kind: 'paragraph', children: pieces(masked) }];
}

/** The mentions to draw, so that no body makes more pieces than a page draws at once. */
function bounded(body: string, found: readonly Span[]): readonly Span[] {
  if (found.length <= mostDrawn) return found;
  const seen = new Set<string>();
  return found.filter(({ from, to }, i) => {
    const name = body.slice(from, to).toLowerCase();
    const first = !seen.has(name);
    seen.add(name);
    return first || i < mostDrawn;
  });
}

/** Divides texts where mentions begin and end, and shows all signs again. */
function drawMentions(blocks: Block[]): { blocks: Block[]; mentions: number } {
  let mentions = 0;
  const draw = (value: unknown): unknown => {
    if (typeof value === 'string') return reveal(value);
    if (Array.isArray(value)) {
      return value.flatMap((part?: Inline) => {
        if (part?.kind !== 'text') return [draw(part)];
        const divided = pieces(part.text);
        mentions += divided.filter(({ kind }) => kind === 'mention').length;
        return divided;
      });
    }
    return value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([key, held]) => [key, draw(held)])) : value;
  };
  return { blocks: draw(blocks) as Block[], mentions };
}

function pieces(text: string): Inline[] {
  return text
    .split(/(\ufdd0[A-Za-z0-9\ufdd1-\ufdd3]+)/)
    .map((piece, i) => ({ kind: i % 2 === 1 ? ('mention' as const) : ('text' as const), text: reveal(piece) }))
    .filter(({ text }) => text);
}
