import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { begins, fold, holds } from '../src/page/text/fold';

const cases = JSON.parse(readFileSync(new URL('../../fold/testdata/cases.json', import.meta.url), 'utf8')) as [string, string][];

test.each(cases)('%j is compared as %j, as on the server', (text, folded) => {
  expect(fold(text)).toBe(folded);
  expect(fold(folded)).toBe(folded);
});

test('a text holds, or begins with, what was typed without accents', () => {
  expect([holds('Ann Özgür', ' ozg '), holds('Jose', 'é'), holds('Ann', 'b'), holds('Ann', '')]).toEqual([true, true, false, true]);
  expect([begins('Ann Özgür', 'ozg'), begins('Ann Özgür', 'zgur'), begins('Ann', '')]).toEqual([true, false, true]);
});
