import { readFileSync } from 'node:fs';
import all from 'emojibase-data/en/compact.json';
import { expect, it, test } from 'vitest';
import { loadShortcodes } from '../src/page/text/shortcodes';
import { findEmoji, grouped } from '../src/page/text/emoji';

const lines = readFileSync(new URL('../../chat/emoji.txt', import.meta.url), 'utf8').trimEnd().split('\n');
const accepted = new Set(lines);
const plain = (emoji: string) => emoji.replaceAll('\ufe0f', '');

it('the server takes every emoji that can be picked, in every colour of skin', () => {
  const skins = (all as { skins?: { unicode: string }[] }[]).flatMap((emoji) => emoji.skins?.map(({ unicode }) => unicode) ?? []);
  const picked = grouped(all).flatMap(({ emojis }) => emojis.map(({ emoji }) => emoji));
  expect(picked.length).toBeGreaterThan(1900);
  expect(skins.length).toBeGreaterThan(1900);
  expect([...picked, ...skins].filter((emoji) => !accepted.has(plain(emoji)))).toEqual([]);
});

it('the server takes nothing that is no emoji here, and compares without selectors', () => {
  expect(lines.filter((line) => !/[\p{Emoji}\p{Extended_Pictographic}]/u.test(line))).toEqual([]);
  expect(lines.filter((line) => /[\ufe0e\ufe0f\s]/.test(line))).toEqual([]);
});

test.each([
  ['heart', '❤️'],
  ['thumbsup', '👍'],
  [':+1:', '👍'],
  ['thumbs up', '👍'],
  ['tada', '🎉'],
  ['joy', '😂'],
  ['pizza', '🍕'],
  ['cat', '🐈'],
])('who looks for %s sees %s first', async (query, emoji) => {
  const [group] = findEmoji(grouped(all), query, await loadShortcodes());
  expect(group!.emojis[0]!.emoji.replaceAll('\ufe0f', '')).toBe(plain(emoji));
});

test('every emoji is found once, and none for nonsense', () => {
  const [group] = findEmoji(grouped(all), 'face');
  expect(new Set(group!.emojis).size).toBe(group!.emojis.length);
  expect(findEmoji(grouped(all), 'qqqqq')).toEqual([]);
});
