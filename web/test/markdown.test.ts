import { describe, expect, test } from 'vitest';
import { findEmoji, grouped } from '../src/page/emoji';
import { highlight } from '../src/page/highlight';
import { isJumbo, parse, plain, type Block, type Inline } from '../src/page/markdown';
import { hostile } from './hostile';

/** A tree as short text: `strong[a]`. */
function show(part: Block | Inline): string {
  switch (part.kind) {
    case 'text':
      return JSON.stringify(part.text);
    case 'code':
    case 'mention':
      return `${part.kind}(${part.text})`;
    case 'link':
      return `link(${part.href})[${part.children.map(show)}]`;
    case 'fence':
      return `fence:${part.language}(${part.text})`;
    case 'list':
      return `list${part.start ?? ''}[${part.items.map((item) => `${item.checked ?? ''}${item.children.map(show)}`).join('; ')}]`;
    case 'table':
      return `table[${[part.head, ...part.rows].map((row) => row.map((cell) => cell.map(show)).join('|')).join('; ')}]`;
    case 'rule':
      return 'rule';
    default:
      return `${part.kind}[${part.children.map(show)}]`;
  }
}

const known = (name: string) => name === 'bob' || name === 'all';
const read = (body: string) => parse(body, known).map(show).join(' ');

describe('Markdown', () => {
  test.each([
    ['**a** _b_ ~~c~~ `d`', 'paragraph[strong["a"]," ",em["b"]," ",del["c"]," ",code(d)]'],
    ['one\ntwo', 'paragraph["one","\\n","two"]'],
    ['one\n\ntwo', 'paragraph["one"] paragraph["two"]'],
    ['# big', 'heading["big"]'],
    ['> said', 'quote[paragraph["said"]]'],
    ['- a\n- b', 'list[paragraph["a"]; paragraph["b"]]'],
    ['3. a\n4. b', 'list3[paragraph["a"]; paragraph["b"]]'],
    ['- [x] done', 'list[trueparagraph["done"]]'],
    ['```go\nx := 1\n```', 'fence:go(x := 1)'],
    ['| a | b |\n|---|---|\n| 1 | 2 |', 'table["a"|"b"; "1"|"2"]'],
    ['[x](https://example.org/)', 'link(https://example.org/)["x"]'],
    ['hi @bob, @eve and me@bob', 'paragraph["hi ",mention(@bob),", @eve and me@bob"]'],
    ['see https://example.org/a?b=1.', 'link(https://example.org/a?b=1)["https://example.org/a?b=1"]'],
    ['`@bob`', 'code(@bob)'],
    ['你好 **世界**', 'paragraph["你好 ",strong["世界"]]'],
    ['    not code', 'paragraph["    not code"]'],
    ['not a heading\n---', 'paragraph["not a heading"] rule'],
    ['[a]: https://example.org', '["[a]: "'],
    ['![alt](https://example.org/x.png)', 'link(https://example.org/x.png)["alt"]'],
    ['**open', 'paragraph["**open"]'],
    ['', ''],
  ])('%j', (body, expected) => {
    expect(read(body)).toContain(expected);
  });

  test('of the preview is words', () => {
    expect(plain('# Hi\n\n- **a**\n- `b`\n\n> [c](https://x.org)\n```\nd\n```\n| e |\n|---|\n| f |')).toBe('Hi a b c d e f');
  });

  test('of a few emoji is drawn large', () => {
    expect(['👍', '🎉 🎉', '👩‍💻🇩🇪', '👍 ok', '1', '', '🎉'.repeat(6)].map(isJumbo)).toEqual([true, true, true, false, false, false, false]);
  });
});

describe('hostile text', () => {
  const hrefs = (parts: readonly (Block | Inline)[]): string[] => [...JSON.stringify(parts).matchAll(/"href":"((?:[^"\\]|\\.)*)"/g)].map((m) => JSON.parse(`"${m[1]}"`));

  test.each(hostile)('%j leads nowhere but to where a browser may go', (body) => {
    for (const href of hrefs(parse(body, known))) expect(new URL(href).protocol).toMatch(/^(https?|mailto):$/);
  });

  test('keeps its words', () => {
    expect(plain('<script>alert(1)</script>')).toBe('<script>alert(1)</script>');
    expect(plain('[x](javascript:alert(1))')).toBe('[x](javascript:alert(1))');
  });

  const size = 16_384;
  test.each([
    ['>'],
    ['> '],
    ['- '],
    ['['],
    ['!['],
    ['*a '],
    ['**a'],
    ['_'],
    ['`'],
    ['~'],
    ['<'],
    ['[a]('],
    ['| a '],
    ['a_b*c~`'],
    ['\\'],
    ['https://'],
    ['@a.'],
    ['1. '],
    ['\n  - '],
    ['很'],
  ])('16 KB of %j are read', (piece) => {
    const body = piece.repeat(Math.ceil(size / piece.length)).slice(0, size);
    expect(parse(body, known).length).toBeGreaterThan(0);
  });
});

describe('code', () => {
  test('in colours is the same text', () => {
    const source = 'func main() { fmt.Println("<b>") } // é';
    const pieces = highlight(source, 'Go')!;
    expect(pieces.map((p) => p.text).join('')).toBe(source);
    expect(pieces.find((p) => p.name === 'keyword')?.text).toBe('func');
    expect(highlight(source, 'nonsense')).toBeNull();
  });
});

describe('emoji', () => {
  const all = grouped([
    { unicode: '🍵', label: 'teacup', tags: ['tea', 'drink'], group: 4, order: 2 },
    { unicode: '🍕', label: 'pizza', tags: ['cheese', 'steak'], group: 4, order: 1 },
    { unicode: '🏻', label: 'light skin tone', group: 2, order: 3 },
    { unicode: '😀', label: 'grinning face', group: 0, order: 0 },
    { unicode: '🇦', label: 'regional indicator A' },
  ]);
  const names = (query: string) => findEmoji(all, query).flatMap((g) => g.emojis.map((e) => e.emoji));

  test('are in groups and in order, without what is no emoji alone', () => {
    expect(all.map((g) => [g.id, g.emojis.map((e) => e.emoji).join('')])).toEqual([[0, '😀'], [4, '🍕🍵']]);
  });

  test('are found by how their words begin, else by what they hold', () => {
    expect([names('tea'), names('Drink'), names('eak'), names('none'), names('').length]).toEqual([['🍵'], ['🍵'], ['🍕'], [], 3]);
  });
});
