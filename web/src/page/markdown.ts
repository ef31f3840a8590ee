import { Lexer, Tokenizer, type Token, type Tokens } from 'marked';

/**
 * What a message says, as a tree of plain values that components draw: there is no HTML in it and none is
 * ever made from it, so that nothing anybody writes becomes markup. Pure.
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
  /** For a task: whether it is done. */
  readonly checked: boolean | undefined;
  readonly children: readonly Block[];
}

export type Block =
  | { readonly kind: 'paragraph'; readonly children: readonly Inline[] }
  | { readonly kind: 'heading'; readonly children: readonly Inline[] }
  | { readonly kind: 'fence'; readonly language: string; readonly text: string }
  | { readonly kind: 'quote'; readonly children: readonly Block[] }
  | { readonly kind: 'list'; readonly start: number | null; readonly items: readonly ListItem[] }
  | { readonly kind: 'table'; readonly head: readonly Cell[]; readonly rows: readonly (readonly Cell[])[] }
  | { readonly kind: 'rule' };

export type Cell = readonly Inline[];

/** Tells whether a name after an @ is one that the server took as a mention. */
export type IsMention = (name: string) => boolean;

/** What is nested deeper is shown as it was written. */
const deepest = 12;
const schemes: ReadonlySet<string> = new Set(['http:', 'https:', 'mailto:']);
const mentionPattern = /(?<![\w@])@[a-z0-9_.-]*[a-z0-9_]/g;

/** Markdown as people write it in a chat: no HTML, no code by indentation, no headings by underlining, no references. */
class ChatTokenizer extends Tokenizer {
  override html(): undefined {}
  override tag(): undefined {}
  override code(): undefined {}
  override def(): undefined {}
  override lheading(): undefined {}
}

/** Reads a message's body. Whatever cannot be read as Markdown is one paragraph of text. */
export function parse(body: string, isMention: IsMention = () => false): Block[] {
  // Each level of quoting costs the tokenizer a call: what nobody would nest is not given to it.
  if (/^(?:[ \t]*>){20}/m.test(body)) return [textBlock(body)];
  try {
    const tokens = new Lexer({ gfm: true, breaks: true, tokenizer: new ChatTokenizer() }).lex(body);
    return blocks(tokens, isMention, 0);
  } catch {
    return [textBlock(body)];
  }
}

/** The words alone, on one line: for previews and notifications. */
export function plain(body: string): string {
  return parse(body).map(wordsOf).join(' ').replace(/\s+/g, ' ').trim();
}

/** Whether a body is nothing but a few emoji, which are drawn large. */
export function isJumbo(body: string): boolean {
  return body.length <= 40 && /^(?:\p{RGI_Emoji}\s?){1,5}$/v.test(body.trim());
}

function textBlock(text: string): Block {
  return { kind: 'paragraph', children: [{ kind: 'text', text }] };
}

function blocks(tokens: readonly Token[], isMention: IsMention, depth: number): Block[] {
  if (depth > deepest) return [textBlock(tokens.map(({ raw }) => raw).join(''))];
  return tokens.flatMap((token) => block(token, isMention, depth));
}

function block(token: Token, isMention: IsMention, depth: number): Block[] {
  const nested = (held: readonly Token[] = []) => blocks(held, isMention, depth + 1);
  const words = (held: readonly Token[] = []) => inlines(held, isMention, depth + 1);
  switch (token.type) {
    case 'space':
      return [];
    case 'heading':
      return [{ kind: 'heading', children: words(token.tokens) }];
    case 'code':
      return [{ kind: 'fence', language: (token.lang ?? '').split(/\s/)[0] ?? '', text: token.text }];
    case 'blockquote':
      return [{ kind: 'quote', children: nested(token.tokens) }];
    case 'list':
      return [list(token as Tokens.List, nested)];
    case 'table':
      return [table(token as Tokens.Table, words)];
    case 'hr':
      return [{ kind: 'rule' }];
    default:
      return [{ kind: 'paragraph', children: inlines('tokens' in token && token.tokens ? token.tokens : [token], isMention, depth + 1) }];
  }
}

function list(token: Tokens.List, nested: (tokens: readonly Token[]) => Block[]): Block {
  const items = token.items.map((item) => ({ checked: item.task ? !!item.checked : undefined, children: nested(item.tokens.filter(({ type }) => type !== 'checkbox')) }));
  return { kind: 'list', start: token.ordered ? Number(token.start) || 1 : null, items };
}

function table(token: Tokens.Table, words: (tokens: readonly Token[]) => Inline[]): Block {
  const cells = (row: readonly Tokens.TableCell[]) => row.map((cell) => words(cell.tokens));
  return { kind: 'table', head: cells(token.header), rows: token.rows.map(cells) };
}

function inlines(tokens: readonly Token[], isMention: IsMention, depth: number): Inline[] {
  return depth > deepest ? [{ kind: 'text', text: tokens.map(({ raw }) => raw).join('') }] : tokens.flatMap((token) => inline(token, isMention, depth));
}

function inline(token: Token, isMention: IsMention, depth: number): Inline[] {
  const children = () => inlines(('tokens' in token && token.tokens) || [], isMention, depth + 1);
  switch (token.type) {
    case 'br':
      return [{ kind: 'text', text: '\n' }];
    case 'strong':
    case 'em':
    case 'del':
      return [{ kind: token.type, children: children() }];
    case 'codespan':
      return [{ kind: 'code', text: token.text }];
    case 'link':
      return link(token.href, children(), token.raw);
    case 'image':
      return link(token.href, [{ kind: 'text', text: token.text || token.href }], token.raw);
    case 'text':
      return 'tokens' in token && token.tokens ? children() : mentions(token.text, isMention);
    case 'escape':
      return [{ kind: 'text', text: token.text }];
    default:
      return mentions(token.raw, isMention);
  }
}

/** A link to where a browser may go; any other stays the text that it was. */
function link(href: string, children: readonly Inline[], raw: string): Inline[] {
  const safe = URL.canParse(href) && schemes.has(new URL(href).protocol);
  return safe && children.length > 0 ? [{ kind: 'link', href, children }] : [{ kind: 'text', text: raw }];
}

function mentions(text: string, isMention: IsMention): Inline[] {
  const found: Inline[] = [];
  let from = 0;
  for (const match of text.matchAll(mentionPattern)) {
    if (!isMention(match[0].slice(1))) continue;
    if (match.index > from) found.push({ kind: 'text', text: text.slice(from, match.index) });
    found.push({ kind: 'mention', text: match[0] });
    from = match.index + match[0].length;
  }
  if (from < text.length) found.push({ kind: 'text', text: text.slice(from) });
  return found;
}

function wordsOf(part: Block | Inline): string {
  switch (part.kind) {
    case 'rule':
      return '';
    case 'list':
      return part.items.map((item) => item.children.map(wordsOf).join(' ')).join(' ');
    case 'table':
      return [part.head, ...part.rows].map((row) => row.map((cell) => cell.map(wordsOf).join('')).join(' ')).join(' ');
    case 'quote':
      return part.children.map(wordsOf).join(' ');
    default:
      return 'text' in part ? part.text : part.children.map(wordsOf).join('');
  }
}

/** The text of a message that is one paragraph of nothing but text. */
export function onlyText(blocks: readonly Block[]): string | undefined {
  const [block] = blocks;
  if (blocks.length !== 1 || block?.kind !== 'paragraph' || block.children.length !== 1) return undefined;
  const [part] = block.children;
  return part?.kind === 'text' ? part.text : undefined;
}
