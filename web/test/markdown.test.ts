import { describe, expect, test } from 'vitest';
import { findEmoji, grouped } from '../src/page/text/emoji';
import { isJumbo, parse, plain, type Block, type Inline } from '../src/page/text/markdown';
import { hostile } from './hostile';
import { show } from './show';

const known = (name: string) => name === 'bob' || name === 'all';
const read = (body: string) => parse(body, known).map(show).join(' ');

describe('Markdown', () => {
  test.each([
    ['**a** _b_ ~~c~~ `d`', 'paragraph[strong["a"]," ",em["b"]," ",del["c"]," ",code(d)]'],
    ['one\ntwo', 'paragraph["one\\ntwo"]'],
    ['one\n\ntwo', 'paragraph["one"] paragraph["two"]'],
    ['# big', 'heading["big"]'],
    ['> said', 'quote[paragraph["said"]]'],
    ['- a\n- b', 'list[paragraph["a"]; paragraph["b"]]'],
    ['3. a\n4. b', 'list[3. paragraph["a"]; 4. paragraph["b"]]'],
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
    ['[a]: https://example.org', '["[a]: ",link(https://example.org)["https://example.org"]]'],
    ['![alt](https://example.org/x.png)', 'link(https://example.org/x.png)["alt"]'],
    ['**open', 'paragraph["**open"]'],
    ['', ''],
  ])('%j', (body, expected) => {
    expect(read(body)).toContain(expected);
  });

  test('in a preview is reduced to words', () => {
    expect(plain('# Hi\n\n- **a**\n- `b`\n\n> [c](https://x.org)\n```\nd\n```\n| e |\n|---|\n| f |')).toBe('Hi a b c d e f');
  });

  test('in a preview turns no direction', () => {
    expect(plain('a \u202eb\u2066c\u2069')).toBe('a bc');
  });

  test('of a few emoji is drawn large', () => {
    expect(['👍', '🎉 🎉', '👩‍💻🇩🇪', '👍 ok', '1', '', '🎉'.repeat(6)].map(isJumbo)).toEqual([true, true, true, false, false, false, false]);
  });
});

describe('hostile text', () => {
  const hrefs = (parts: readonly (Block | Inline)[]): string[] => [...JSON.stringify(parts).matchAll(/"href":"((?:[^"\\]|\\.)*)"/g)].map((m) => JSON.parse(`"${m[1]}"`));

  test.each(hostile)('%j leads only to safe addresses', (body) => {
    for (const href of hrefs(parse(body, known))) expect(new URL(href).protocol).toMatch(/^(https?|mailto):$/);
  });

  test.each([
    ['http://[::1](/a', 'http://[::1]'],
    ['https://a.b./c', 'https://a.b./c'],
    ['https://a.b/c(d/e', 'https://a.b/c(d/e'],
    ['https://a.b', 'https://a.b'],
    [`https://a.${'b'.repeat(297)}/`, `https://a.${'b'.repeat(297)}/`],
    [`https://a.${'b'.repeat(298)}/`, undefined],
  ])('%j is the address %j', (body, address) => {
    expect(hrefs(parse(body, known))).toEqual(address === undefined ? [] : [address]);
  });

  test('keeps its words', () => {
    expect(plain('<script>alert(1)</script>')).toBe('<script>alert(1)</script>');
    expect(plain('[x](javascript:alert(1))')).toBe('[x](javascript:alert(1))');
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

  test('are in groups and in order, without mere parts of emoji', () => {
    expect(all.map((g) => [g.id, g.emojis.map((e) => e.emoji).join('')])).toEqual([[0, '😀'], [4, '🍕🍵']]);
  });

  test('are found by how their words begin, else by what they contain', () => {
    expect([names('tea'), names('Drink'), names('eak'), names('none'), names('').length]).toEqual([['🍵'], ['🍵'], ['🍕'], [], 3]);
  });
});
