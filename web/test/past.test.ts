import { describe, expect, test } from 'vitest';
import { applyReset } from '../src/client/apply';
import { putNewest } from '../src/client/history';
import { holds, leavePast, putAround, putNewer, putPastOlder } from '../src/client/past';
import type { State } from '../src/client/state';
import { apply, chatId, chatOf, created, deleted, edited, holding, message, page } from './make';

/** A chat with a hundred messages, of which the newest ten are loaded. */
const newest = () => putNewest(holding({ last_seq: 100 }), chatId, page(range(91, 100), 100, { has_more: true })).state;
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => message(from + i));
const around = (from: number, to: number, last_seq = 100) => ({ ...page(range(from, to), last_seq), has_before: from > 1, has_after: true });
const past = (state: State) => chatOf(state).past?.lines.map(({ message: m }) => `${m.seq}${m.body === `text ${m.seq}` ? '' : m.body}`) ?? null;
const shown = (state: State) => chatOf(state).history!.lines.map(({ message: m }) => m.seq);

describe('the past', () => {
  test('is a separate part, and grows on both sides', () => {
    let state = putAround(newest(), chatId, around(40, 44)).state;
    expect([past(state), shown(state)[0]]).toEqual([['40', '41', '42', '43', '44'], 91]);
    state = putPastOlder(state, chatId, 40, page(range(38, 39), 100, { has_more: true })).state;
    state = putNewer(state, chatId, 44, page(range(45, 46), 100, { has_more: true })).state;
    expect(past(state)).toEqual(['38', '39', '40', '41', '42', '43', '44', '45', '46']);
    expect(past(leavePast(state, chatId))).toBeNull();
  });

  test('joins the history where they touch', () => {
    let state = putAround(newest(), chatId, around(85, 88)).state;
    state = putNewer(state, chatId, 88, page(range(89, 95), 100, { has_more: true })).state;
    expect(past(state)).toBeNull();
    expect(shown(state)).toEqual(Array.from({ length: 16 }, (_, i) => 85 + i));
    expect(chatOf(state).history!.hasBefore).toBe(true);
  });

  test('that reaches into the history joins it at once', () => {
    const state = putAround(newest(), chatId, around(88, 93)).state;
    expect([past(state), shown(state)[0], shown(state).length]).toEqual([null, 88, 13]);
  });

  test('is kept current by events, except new messages', () => {
    let state = putAround(newest(), chatId, around(40, 42)).state;
    state = apply(state, edited(101, 41, 'better', 2), created(102), deleted(103, 40, 2));
    expect(past(state)).toEqual(['40', '41better', '42']);
    expect(shown(state).at(-1)).toBe(102);
  });

  test('gets the events after its read, and not those before', () => {
    const later = apply(newest(), edited(101, 41, 'better', 2));
    expect(past(putAround(later, chatId, around(40, 42)).state)).toEqual(['40', '41better', '42']);
    const now = putAround(later, chatId, around(40, 42, 101)).state;
    expect(past(apply(now, edited(101, 41, 'again', 3)))).toEqual(['40', '41', '42']);
  });

  test('is dropped by a reset and by leaving the chat', () => {
    const state = putAround(newest(), chatId, around(40, 42)).state;
    expect(past(applyReset(state, chatId, 400))).toBeNull();
    expect(past(leavePast(state, chatId))).toBeNull();
  });

  test('of another epoch is read again', () => {
    expect(putAround(newest(), chatId, { ...around(40, 42), epoch: 'e2' }).again).toBe(true);
  });

  test('does not join a stale history', () => {
    const stale = applyReset(newest(), chatId, 400);
    const state = putAround(stale, chatId, { ...around(88, 95, 400), last_seq: 400 }).state;
    expect(past(state)).toHaveLength(8);
  });

  test('and the history hold messages that need no read', () => {
    const state = newest();
    expect([holds(chatOf(state), 95), holds(chatOf(state), 40)]).toEqual([true, false]);
    const jumped = putAround(state, chatId, around(40, 42)).state;
    expect([holds(chatOf(jumped), 95), holds(chatOf(jumped), 41)]).toEqual([false, true]);
  });
});
