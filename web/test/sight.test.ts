import { describe, expect, test } from 'vitest';
import { rows } from '../src/page/chat/rows';
import { seenUpTo, sightOf, type Laid } from '../src/page/chat/sight';
import { me, message } from './make';

/** How far somebody has read, by what of the list they had before their eyes. */

const rowsOf = (...seqs: number[]) => rows(seqs.map((seq) => ({ message: message(seq), asOf: 99 })), [], me, null);

describe('what is in view', () => {
  const heights = [100, 20, 20, 500, 20];
  const offset = (index: number) => heights.slice(0, index).reduce((sum, height) => sum + height, 0);
  const list: Laid = {
    findItemIndex: (at) => Math.max(0, heights.findIndex((_, i) => offset(i + 1) > at - 30)),
    getItemOffset: offset,
    getItemSize: (index) => heights[index]!,
  };
  const sight = (top: number, height: number) => Object.values(sightOf(list, 30, top, height));

  test.each([
    [0, 170, [0, 2]],
    [0, 165, [0, 2]],
    [0, 155, [0, 1]],
    [100, 400, [0, 3]],
    [100, 590, [0, 4]],
  ])('from %i on, %i pixels of it', (top, height, seen) => {
    expect(sight(top, height)).toEqual(seen);
  });

  test('a message higher than the view counts once it fills half of that', () => {
    expect(sight(60, 200)).toEqual([0, 2]);
    expect(sight(80, 200)).toEqual([0, 3]);
  });
});

describe('what was seen', () => {
  const all = rowsOf(10, 20, 30, 40, 50, 60);

  test('follows what is in view, one message after another', () => {
    expect(seenUpTo(all, { first: 1, last: 3 }, 20, false)).toBe(40);
    expect(seenUpTo(all, { first: 2, last: 3 }, 20, false)).toBe(40);
  });

  test('does not follow over a leap', () => {
    expect(seenUpTo(all, { first: 3, last: 5 }, 20, false)).toBe(20);
  });

  test('does not go back', () => {
    expect(seenUpTo(all, { first: 0, last: 1 }, 40, false)).toBe(40);
  });

  test('begins at the beginning of the chat, or where the messages reach back to what was read', () => {
    expect(seenUpTo(all, { first: 0, last: 1 }, 3, true)).toBe(20);
    expect(seenUpTo(all, { first: 0, last: 1 }, 9, false)).toBe(20);
    expect(seenUpTo(all, { first: 0, last: 1 }, 3, false)).toBe(3);
  });

  test('is nothing without messages', () => {
    expect(seenUpTo([], { first: 0, last: -1 }, 5, true)).toBe(5);
  });
});
