import { describe, expect, test } from 'vitest';
import { parse, plain } from '../src/page/text/markdown';
import { isBounded, sequence, size } from './bounds';
import { hostile } from './hostile';

/** No message may freeze a page: whatever its text, few nodes are drawn, and none of them deep. */

/** The texts of a tree. */
function texts(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  if ('text' in node) return [String(node.text)];
  return Object.values(node).flatMap(texts);
}

const fill = (piece: string) => piece.repeat(Math.ceil(size / piece.length)).slice(0, size);

const h = size / 8;
const bomb = `${'a|'.repeat(h)}b\n${'-|'.repeat(h)}-\n${'|\n'.repeat((size - 4 * h) / 2)}`;
const wide = `${'|a'.repeat(40)}\n${'|-'.repeat(40)}\n${'|\n'.repeat(size / 2)}`;

describe('a message of 16 KiB', () => {
  test.each([
    '*_', '\\', '~a~ ', '@all ', '{\\"a\\":\\"b\\"}', '>', '> ', '- ', '- a\n', '1. a\n', '# a\n', '[', '![', '*a ', '**a', '*a* ', '_', '`', '`a` ', '~', '<', '[a](', '[a](https://a.example)', '[](', '](', '| a ', '|a|\n|-|\n', 'a_b*c~`',
    'https://', 'https://a ', 'https://%', 'www.a.b ', '@a.', 'a@b.cc ', '1. ', '\n  - ', '\n- ', '很', '\n', 'a\n\n', '---\n', '```\n', '```a\n', '~~~\na\n', '> - ', '  ', '\t', ':a:', ':', '*_~', '**_', '\\*', '\\*a', '\\[', '(', '[(', '"', '*a **b ', '***a** b* ', '\\`', '``a`', '- - ', '1. - a\n', '[*a](https://b)', 'a|', '|', '\u200b', '\u202e',
  ])('of %j has few nodes', (piece) => void isBounded(fill(piece)));

  test.each([
    ['a table of many columns and empty rows', bomb],
    ['a table of empty rows', wide],
    ['code between fences', fill('```\na\n```\n')],
    ['quotes within quotes', `${'> '.repeat(size / 2)}a`],
    ['lists within lists', Array.from({ length: 120 }, (_, i) => `${' '.repeat(2 * i)}- a`).join('\n')],
    ['quotes within lists within quotes', `${'> - '.repeat(size / 4)}a`],
    ['emphases within emphases', `${'*a _b '.repeat(size / 12)}${'c_ d* '.repeat(size / 12)}`],
    ['runs of backticks of many lengths', Array.from({ length: 150 }, (_, i) => '`'.repeat(i + 1)).join('a')],
  ])('of %s has few nodes', (_, body) => void isBounded(body));

  test('that is too much is shown, the rest as written', () => {
    const body = '- a **b**\n'.repeat(1_600);
    expect(texts(parse(body)).join('').length).toBeGreaterThan(1_600 * 3);
    expect(plain(fill('~a~ ')).length).toBeLessThan(1_001);
  });
});

describe('random text', () => {
  const pieces = ['*', '**', '_', '__', '~', '~~', '`', '``', '```', '\\', '[', '](', ')', '!', '<', '>', '> ', '- ', '1. ', '# ', '|', '|-|', '\n', '\n\n', ' ', '    ', '\t', 'a', 'b1', '很', 'é', '.', ',', '。', '(', '"', ':', ':a:', '@a', 'https://a.example/', 'www.a.b', '---', '\u200b', '\u202e', 'א', '😀', '&amp;', ...hostile];

  test('has few nodes, and its letters in their order', () => {
    const next = sequence(20_261_130);
    for (let run = 0; run < 300; run++) {
      const chosen = Array.from({ length: 1 + next(8) }, () => pieces[next(pieces.length)]!);
      const length = run % 10 === 0 ? size : 10 + next(200);
      let body = '';
      while (body.length < length) body += chosen[next(chosen.length)]!;
      isBounded(body.slice(0, length));
    }
  });

  test('without links and fences keeps every letter, in its order, and invents nothing', () => {
    const next = sequence(7);
    const signs = pieces.filter((piece) => !/[\][`|#:]|hostile/.test(piece) && piece.length < 8 && !piece.includes('1. '));
    for (let run = 0; run < 2_000; run++) {
      const body = Array.from({ length: 1 + next(25) }, () => signs[next(signs.length)]!).join('');
      const shown = texts(parse(body)).join('\n');
      expect(shown.match(/[\p{L}\p{N}\p{Emoji_Presentation}]/gu) ?? [], JSON.stringify(body)).toEqual(body.match(/[\p{L}\p{N}\p{Emoji_Presentation}]/gu) ?? []);
      let at = 0;
      for (const char of shown.replaceAll(/\s/g, '')) {
        at = body.indexOf(char, at) + 1;
        expect(at, `${char} of ${JSON.stringify(shown)} in ${JSON.stringify(body)}`).toBeGreaterThan(0);
      }
    }
  });
});
