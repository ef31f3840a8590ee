import { expect, test } from 'vitest';
import type { User } from '../src/client';
import { warningOf } from '../src/page/composer/warnings';

const user = (username: string): User => ({ id: `id-${username}`, username, display_name: '', created_at: '' });
const users = new Map(['me', 'bob', 'eve', 'bob.b'].map((name) => [`id-${name}`, user(name)]));
const members = ['id-me', 'id-bob'];
const of = (text: string, whole = true) => {
  const { outsiders, everyone, unknown } = warningOf(text, users, members, whole);
  return [outsiders.map(({ username }) => username), everyone, unknown];
};

test.each([
  ['@bob and @eve', ['eve'], false, []],
  ['@Eve. @eve, again', ['eve'], false, []],
  ['@bob.b', ['bob.b'], false, []],
  ['`@eve` and ada@eve', [], false, []],
  ['@all', [], true, []],
  ['@ann and @bobby', [], false, ['ann', 'bobby']],
  ['nobody', [], false, []],
])('%s', (text, outsiders, everyone, unknown) => {
  expect(of(text)).toEqual([outsiders, everyone, unknown]);
});

test('nobody is taken for an outsider while not all members are known', () => {
  expect(of('@eve @all', false)).toEqual([[], true, []]);
});

test('a draft that nobody typed by hand is not read', () => {
  expect(of(`@eve ${'x'.repeat(20_000)}`)).toEqual([[], false, []]);
});
