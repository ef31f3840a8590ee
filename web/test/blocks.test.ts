import { describe, expect, test } from 'vitest';
import { parse, plain } from '../src/page/text/markdown';
import { mentionsIn } from '../src/page/text/mentions';
import { show } from './show';

/** What lines mean together: diffs, blank lines, tables. */

const read = (body: string) => parse(body).map(show).join(' ');
const asTyped = (body: string) => expect(read(body)).toBe(`paragraph[${JSON.stringify(body)}]`);

describe('the signs of a difference stay', () => {
  test.each([
    '- old\n+ new',
    '+ for\n- against',
    '-old\n- older\n+new',
    '--- a/list.txt\n+++ b/list.txt\n@@ -1,3 +1,3 @@\n - same\n- old\n+ new',
    '@@ -1,2 +0,0 @@\n- gone\n- gone too',
    'key:\n-  a: 1\n+  a: 2\n   - b',
    '+ a\n---\n- b',
  ])('%j', asTyped);

  test('behind a blank line too, once a hunk has begun', () => {
    expect(read('@@ -1,3 +1 @@\n- a\n\n- b')).toBe('paragraph["@@ -1,3 +1 @@\\n- a"] paragraph["- b"]');
  });

  test('in quotes and lists', () => {
    expect(read('> - a\n> + b')).toBe('quote[paragraph["- a\\n+ b"]]');
    expect(read('1. change\n   - a\n   + b')).toBe('list[1. paragraph["change\\n- a\\n+ b"]]');
  });

  test('in previews', () => expect(plain('- old\n+ new')).toBe('- old + new'));

  test.each([
    ['- a\n- b\n\n+ c', 'list[paragraph["a"]; paragraph["b"]] paragraph["+ c"]'],
    ['```diff\n- a\n+ b\n```\n- c', 'fence:diff(- a\n+ b) list[paragraph["c"]]'],
    ['- a\n  + b', 'list[paragraph["a\\n+ b"]]'],
    ['* a\n- b', 'list[paragraph["a"]] list[paragraph["b"]]'],
  ])('and others remain bullets: %j', (body, expected) => expect(read(body)).toBe(expected));
});

describe('blank lines', () => {
  test.each([
    ['a\n\nb', 'paragraph["a"] paragraph["b"]'],
    ['a\n\n\nb', 'paragraph["a"] paragraph["\\n"] paragraph["b"]'],
    ['a\n\n\n\nb', 'paragraph["a"] paragraph["\\n\\n"] paragraph["b"]'],
    ['- a\n\n\nb', 'list[paragraph["a"]] paragraph["\\n"] paragraph["b"]'],
    ['a\n\n\n```\nb\n```', 'paragraph["a"] paragraph["\\n"] fence:(b)'],
    ['> a\n>\n>\n> b', 'quote[paragraph["a"],paragraph["\\n"],paragraph["b"]]'],
    ['a\r\n\r\n\r\nb', 'paragraph["a"] paragraph["\\n"] paragraph["b"]'],
    ['---\n\n\na', 'rule paragraph["\\n"] paragraph["a"]'],
  ])('between %j stay, but for one', (body, expected) => expect(read(body)).toBe(expected));

  test.each(['\n\n\na', 'a\n\n\n'])('around %j are none of the text', (body) => expect(read(body)).toBe('paragraph["a"]'));

  test.each(['---\n\n\n---', '\n\n', ' \n\u200b'])('alone, or between lines, are what was typed: %j', asTyped);
});

describe('code in a table', () => {
  test.each([
    ['| `a|b` | c |\n|---|---|\n| 1 | ``x || y`` |', 'table[code(a|b)|"c"; "1"|code(x || y)]'],
    ['| `a\\|b` |\n|---|', 'table[code(a|b)]'],
    ['| a ` | b |\n|---|---|', 'table["a `"|"b"]'],
    ['| a |\n|---|\n`b|c`', 'table["a"] paragraph[code(b|c)]'],
  ])('keeps its bars: %j', (body, expected) => expect(read(body)).toBe(expected));
});

/** In quadratic time, 32 times what a message may hold would keep these tests busy for hours. */
describe('a long text is read in linear time:', { timeout: 60_000 }, () => {
  const length = 2 ** 19;
  test.each(['\\``', '`a``', '> '])('%j again and again', (piece) => {
    const body = `~~~\n~~~\n${piece.repeat(length / piece.length)}@bob`;
    expect(mentionsIn(body, () => true)).toHaveLength(1);
  });

  test.each(['*.', '>\n', '- *\n'])('%j again and again, drawn', (piece) => {
    expect(parse(piece.repeat(length / piece.length)).length).toBeGreaterThan(0);
  });

  test.each(['.', ' ', '> '])('many %j within', (piece) => {
    const many = piece.repeat(length / piece.length);
    expect(mentionsIn(`\`a\`@${many}b`, (name) => name === 'b')).toHaveLength(0);
    expect(mentionsIn(`${many}\`\`\`\n${many}\`\`\`\n@bob`, (name) => name === 'bob').length).toBeLessThan(2);
  });
});
