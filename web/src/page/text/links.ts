import { charAt, charBefore, inWord } from './letters';

/** An address in a text, and the index behind it. Finding one reads a bounded part of the text. */
export interface Address {
  readonly href: string;
  readonly end: number;
}

const longest = 2048;
const longestHost = 300;
const schemes: ReadonlySet<string> = new Set(['http:', 'https:', 'mailto:']);
const beginning = /https?:\/\/|www\.(?=[\p{L}\p{N}])/iuy;
/** What no address contains: white space, quotes, and the marks of typography, but not letters. */
const outside = /[\s<>"`\\\p{Z}\p{Cc}]|(?![\u200c\u200d])\p{Cf}|(?!\p{ASCII})\p{P}/u;
/** Marks that join two parts of a name, as in 史蒂夫·乔布斯. */
const joining = /[·・]/;
const another = /^https?:\/\//i;
const brackets: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };
const trailing = /[?!.,:;'|([{]/;

const angled = /<((?:https?:\/\/|mailto:)[^\s<>]{1,2048})>/iy;
const account = /[\w.+-]{1,64}$/;
/** What stands before an account in an address of another kind: ssh://git@a.example */
const withinPath = /\/\S*$/;
const domain = /@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,8}\.[a-z]{2,63}(?![\w@-]|[:/]\S)/iy;
const target = /\([ \t]*(?:<([^<>\n]{1,2048})>|((?:[^\s()<]|\([^\s()]{0,200}\)){1,2048}))(?:[ \t]+(?:"[^"\n]{0,500}"|'[^'\n]{0,500}'))?[ \t]*\)/y;

/** Reports whether an address may be followed. */
export function isSafe(href: string): boolean {
  return URL.canParse(href) && schemes.has(new URL(href).protocol);
}

/**
 * The address that begins at an index with its scheme or `www.`. It ends before the punctuation of
 * the sentence, and at an index where `closes` finds the end of an emphasis around it.
 */
export function addressAt(text: string, at: number, closes: (at: number) => boolean): Address | undefined {
  beginning.lastIndex = at;
  const scheme = beginning.exec(text)?.[0];
  if (!scheme || inWord(charBefore(text, at))) return undefined;
  const from = at + scheme.length;
  const bare = /^www/i.test(scheme);
  const href = (end: number) => (bare ? 'http://' : '') + text.slice(at, end);
  const reached = reach(text, from, longestHost, /[/?#]/, closes);
  if (reached >= from + longestHost) return undefined; // the host goes on
  const host = trimmed(text, from, reached);
  if (host === from || (bare && !text.slice(from, host).includes('.')) || !isSafe(href(host))) return undefined;
  const end = trimmed(text, host, reach(text, from, longest, undefined, closes));
  // What was taken off the end of the host may be in its middle after all: http://[::1](/
  return isSafe(href(end)) ? { href: href(end), end } : { href: href(host), end: host };
}

/** Where an address ends at the latest: before what none contains, or a bracket that closes another. */
function reach(text: string, from: number, most: number, until: RegExp | undefined, closes: (at: number) => boolean): number {
  const open: string[] = [];
  let at = from;
  while (at < text.length && at < from + most) {
    const char = charAt(text, at);
    const next = at + char.length;
    if (until?.test(char)) break;
    if (joining.test(char) ? !joins(text, at, next) : outside.test(char)) break;
    if (brackets[char] && open.pop() !== brackets[char]) break;
    if ('*_~'.includes(char) && closes(at)) break;
    if (',;|'.includes(char) && another.test(text.slice(next, next + 8))) break;
    if ('([{'.includes(char)) open.push(char);
    at = next;
  }
  return at;
}

function trimmed(text: string, from: number, to: number): number {
  let end = to;
  while (end > from && trailing.test(text[end - 1]!)) end--;
  return end;
}

const letter = /\p{L}/u;
const joins = (text: string, at: number, next: number) => letter.test(charBefore(text, at)) && letter.test(charAt(text, next));

/** The address in angle brackets that begin at an index. */
export function angledAt(text: string, at: number): Address | undefined {
  angled.lastIndex = at;
  const href = angled.exec(text)?.[1];
  return href && isSafe(href) ? { href, end: angled.lastIndex } : undefined;
}

/** The mail address around an @; it does not begin before `from`. */
export function mailAround(text: string, at: number, from: number): (Address & { readonly start: number }) | undefined {
  const name = account.exec(text.slice(Math.max(from, at - 64), at))?.[0].replace(/^[.+-]+/, '');
  if (!name || name.endsWith('.')) return undefined;
  const start = at - name.length;
  domain.lastIndex = at;
  const found = domain.exec(text)?.[0];
  const before = charBefore(text, start);
  if (!found || /[\w@]/.test(before) || inWord(before) || withinPath.test(text.slice(Math.max(0, start - 64), start))) return undefined;
  return { href: `mailto:${name}${found}`, start, end: at + found.length };
}

/** The address of a link, `(address "title")`, that begins behind its text. */
export function targetAt(text: string, at: number): Address | undefined {
  target.lastIndex = at;
  const [, quoted, bare] = target.exec(text) ?? [];
  const href = quoted ?? bare;
  return href && isSafe(href) ? { href, end: target.lastIndex } : undefined;
}
