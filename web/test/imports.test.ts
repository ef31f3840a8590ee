import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const folder = new URL('../src/client/', import.meta.url);

function importsOf(file: string): string[] {
  const text = readFileSync(new URL(file, folder), 'utf8');
  return [...text.matchAll(/(?:from |import\()'([^']+)'/g)].map(([, name]) => name!);
}

const modules = new Map(readdirSync(folder).map((file) => [`./${file.replace(/\.ts$/, '')}`, importsOf(file)]));

test('the client imports nothing but itself', () => {
  expect([...modules.values()].flat().filter((name) => !modules.has(name))).toEqual([]);
});

test('imports of the client form no circle', () => {
  let circles = [...modules.keys()];
  for (let before = 0; before !== circles.length; ) {
    before = circles.length;
    circles = circles.filter((name) => modules.get(name)!.some((other) => circles.includes(other)));
  }
  expect(circles).toEqual([]);
});
