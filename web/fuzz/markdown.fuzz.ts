import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { plain } from '../src/page/text/markdown';
import { isBounded, measure, sequence, size } from '../test/bounds';
import { hostile } from '../test/hostile';

/**
 * Looks for a message that breaks the page's Markdown: one that throws, exceeds the bounds, takes
 * long, or makes a link that runs a script. Texts that cost more than others are changed further, so
 * that the search climbs towards what is dear. FUZZ_FILE gets each text before it is read: after a
 * hang it has the one to blame.
 */

const seconds = Number.parseFloat(process.env['FUZZ_TIME'] ?? '10');
const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000);
const file = process.env['FUZZ_FILE'];

/** Far beyond what any text takes on a busy machine; a hang takes much longer. */
const tooLong = 10_000;

const pieces = [
  ...['*', '**', '_', '__', '~', '~~', '`', '``', '```', '\\', '[', ']', '](', ')', '!', '<', '>', '> ', '- ', '1. ', '# ', '|', '|-|', ':-:', '\n', '\n\n', '\r\n', '    ', '\t', ' '],
  ...['a', 'b1', 'é', 'e\u0301', '很', 'א', '😀', '👨‍👩‍👧', '.', ',', '。', '(', '"', "'", ':', ':a:', '@a', '@all', '---', '===', '&amp;', '&#106;', '\u0000', '\u200b', '\u202e', '\ud800', '\ufeff'],
  ...['https://a.example/', 'http://[::1]/', 'www.a.b', 'a@b.cc', 'javascript:alert(1)', 'JAVASCRIPT:', 'data:text/html,', 'vbscript:', '//evil.example', '```a\n', '~~~\n', '- [ ] ', '[x](https://a)', '<https://a>'],
  ...hostile,
];

/** A text, and what it cost. */
interface Found {
  readonly body: string;
  readonly cost: number;
}

const next = sequence(seed);
const piece = () => pieces[next(pieces.length)]!;

function made(): string {
  const chosen = Array.from({ length: 1 + next(6) }, piece);
  let body = '';
  const length = next(4) === 0 ? size : 1 + next(400);
  while (body.length < length) body += chosen[next(chosen.length)]!;
  return body;
}

const changes: ((body: string, other: string) => string)[] = [
  (body) => insert(body, piece()),
  (body) => insert(body, piece().repeat(1 + next(200))),
  (body, other) => body.slice(0, next(body.length + 1)) + other.slice(next(other.length + 1)),
  (body) => body.replaceAll(body.charAt(next(body.length + 1)) || 'a', piece),
  (body) => {
    const from = next(body.length + 1);
    return body.slice(0, from) + body.slice(from + 1 + next(20));
  },
  (body) => {
    const from = next(body.length + 1);
    const part = body.slice(from, from + 1 + next(40));
    return part === '' ? body : insert(body, part.repeat(1 + next(size / part.length)));
  },
  (body) => body + body,
  (body) => insert(body, String.fromCharCode(next(0x1_0000))),
];

function insert(body: string, part: string): string {
  const at = next(body.length + 1);
  return body.slice(0, at) + part + body.slice(at);
}

/** Every href that is drawn has one of these schemes, so that none runs a script. */
function linksAreSafe(node: unknown, body: string): void {
  if (typeof node !== 'object' || node === null) return;
  if ('href' in node) expect(new URL(String(node.href)).protocol, JSON.stringify(body)).toMatch(/^(https?|mailto):$/);
  for (const child of Object.values(node)) linksAreSafe(child, body);
}

/** Reads a text, and returns its cost: nodes, depth, and time for its length. */
function judge(body: string): number {
  if (file) writeFileSync(file, JSON.stringify(body));
  const began = performance.now();
  const found = isBounded(body);
  plain(body);
  const took = performance.now() - began;
  expect(took, `milliseconds for ${JSON.stringify(body)}`).toBeLessThan(tooLong);
  linksAreSafe(found, body);
  const { nodes, depth } = measure(found);
  return nodes / 10 + depth * 10 + took * 5;
}

test(`Markdown for ${seconds} s, seed ${seed}`, () => {
  const end = performance.now() + seconds * 1000;
  const best: Found[] = hostile.map((body) => ({ body, cost: judge(body) }));
  let read = 0;
  for (; performance.now() < end; read++) {
    const parent = best[next(best.length)]!;
    const body = (next(3) === 0 ? made() : changes[next(changes.length)]!(parent.body, best[next(best.length)]!.body)).slice(0, size);
    const cost = judge(body);
    if (best.length < 200) best.push({ body, cost });
    else if (cost > parent.cost) best[best.indexOf(parent)] = { body, cost };
  }
  const dearest = best.reduce((most, found) => (found.cost > most.cost ? found : most));
  console.log(`fuzz: ${read} texts; the dearest: ${JSON.stringify(dearest.body.slice(0, 120))}`);
  expect(read).toBeGreaterThan(0);
});
