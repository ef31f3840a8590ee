import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse, type Block, type Inline } from '../src/page/text/markdown';
import { mentionsIn } from '../src/page/text/mentions';
import { hostile } from './hostile';

interface Golden {
  readonly users: readonly string[];
  readonly cases: Readonly<Record<string, readonly { readonly body: string; readonly mentions: readonly string[] }[]>>;
}

/** The server reads the same file (chat/mention_test.go). */
const golden = JSON.parse(readFileSync(new URL('../../chat/testdata/mentions.json', import.meta.url), 'utf8')) as Golden;
const named = (names: readonly string[]) => (name: string) => name === 'all' || names.includes(name);
const found = (body: string, names = golden.users) => mentionsIn(body, named(names)).map(({ from, to }) => body.slice(from + 1, to).toLowerCase());
const sorted = (names: readonly string[]) => [...new Set(names)].sort();

/** The names that a tree draws as mentions, and all its strings. */
function drawn(blocks: readonly (Block | Inline)[]): { names: string[]; text: string } {
  const names: string[] = [];
  let text = '';
  JSON.stringify(blocks, (_key, value: unknown) => {
    if (typeof value === 'string') text += `${value} `;
    const part = value as Inline | null;
    if (part && typeof part === 'object' && part.kind === 'mention') names.push(part.text.slice(1).toLowerCase());
    return value;
  });
  return { names, text };
}

describe('Mentions', () => {
  test.each(Object.entries(golden.cases))('of the server are found and drawn: %s', (_kind, cases) => {
    for (const { body, mentions } of cases) {
      expect(sorted(found(body)), body).toEqual(sorted(mentions));
      expect(sorted(drawn(parse(body, named(mentions))).names.filter((name) => mentions.includes(name))), body).toEqual(sorted(mentions));
    }
  });

  test('are drawn wherever they are found, whatever Markdown makes of the body', () => {
    const signs = ['@bob', '@_dan_', '@all', '`', '```', '~~~', '\n', '\n\n', ' ', 'a', '*', '_', '> ', '- ', '# ', '[x](', 'https://a.example/', ')', '|', '\\', '"', '<', '。', '\ufdd0'];
    let seed = 1;
    const next = (n: number) => (seed = (seed * 48271) % 2147483647) % n;
    for (let i = 0; i < 3000; i++) {
      const body = Array.from({ length: 1 + next(14) }, () => signs[next(signs.length)]).join('');
      const tree = drawn(parse(body, named(golden.users)));
      expect(tree.names.sort(), JSON.stringify(body)).toEqual(found(body).sort());
      expect(tree.text).not.toMatch(/[\ufdd1-\ufdd3]/);
    }
  });

  test('of a body are drawn a bounded number of times, each name at least once', () => {
    const { names } = drawn(parse(`${'@all '.repeat(3200)}@bob`, named(golden.users)));
    expect(names.length).toBeLessThan(300);
    expect(sorted(names)).toEqual(['all', 'bob']);
  });

  test('are found in any text', () => {
    for (const body of hostile) expect(() => found(`${body} @bob`)).not.toThrow();
  });
});
