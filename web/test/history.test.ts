import { describe, expect, test } from 'vitest';
import { applyReset } from '../src/client/apply';
import { takeNewest, takeOlder, trimTimeline } from '../src/client/history';
import { logLimit } from '../src/client/state';
import { apply, chatId, chatOf, created, deleted, edited, holding, message, page, reacted, texts } from './make';

function taken(...args: Parameters<typeof takeNewest>) {
  const { state, again } = takeNewest(...args);
  expect(again).toBe(false);
  return state;
}

describe('late history answer', () => {
  test('gets the live events that came after it', () => {
    const live = apply(holding({ last_seq: 2 }), created(3), edited(4, 1, 'edited', 2), reacted(5, 2), created(6));
    const state = taken(live, chatId, page([message(1), message(2)], 2));
    expect(texts(state)).toEqual(['1:edited', '2:text 2', '3:text 3', '6:text 6']);
    expect(chatOf(state).timeline!.lines[1]!.message.reactions[0]!.count).toBe(1);
  });

  test('keeps what it holds of live events up to its seq', () => {
    const live = apply(holding({ last_seq: 2 }), created(3), reacted(4, 1));
    const seen = message(1, { reactions: [{ emoji: '👍', count: 1, user_ids: ['other'], me: false }] });
    const state = taken(live, chatId, page([seen, message(2), message(3)], 4));
    expect(texts(state)).toEqual(['1:text 1', '2:text 2', '3:text 3']);
    expect(chatOf(state).timeline!.lines[0]!.message.reactions[0]!.count).toBe(1);
  });

  test('too old to be brought up to date is asked for again', () => {
    const many = Array.from({ length: logLimit + 5 }, (_, i) => created(i + 3));
    const live = apply(holding({ last_seq: 2 }), ...many);
    expect(takeNewest(live, chatId, page([message(1), message(2)], 2))).toEqual({ state: live, again: true });
  });

  test('from before a reset is asked for again', () => {
    const reset = applyReset(taken(holding({ last_seq: 2 }), chatId, page([message(1)], 2)), chatId, 9);
    expect(takeNewest(reset, chatId, page([message(1), message(2)], 2)).again).toBe(true);
  });

  test('of another epoch is asked for again', () => {
    const answer = page([message(1)], 2, { epoch: 'e0' });
    expect(takeNewest(holding({ last_seq: 2 }), chatId, answer).again).toBe(true);
  });

  test('of a chat that was left meanwhile is dropped', () => {
    const state = holding();
    expect(takeNewest(state, 'gone', page([message(1)], 1))).toEqual({ state, again: false });
  });
});

describe('early history answer', () => {
  test('is not changed by the events that it holds already', () => {
    const seen = message(1, { body: 'edited', version: 2, reactions: [{ emoji: '👍', count: 1, user_ids: ['other'], me: false }] });
    const early = taken(holding({ last_seq: 1 }), chatId, page([seen, message(4)], 4));
    const state = apply(early, edited(2, 1, 'edited', 2), reacted(3, 1), created(4));
    expect(texts(state)).toEqual(['1:edited', '4:text 4']);
    expect(chatOf(state).timeline!.lines[0]!.message.reactions[0]!.count).toBe(1);
    expect(chatOf(state)).toMatchObject({ cursor: 4, entry: { unread: 1, last_seq: 4 } });
  });

  test('does not count a reaction twice, even of somebody whom it does not name', () => {
    const user_ids = Array.from({ length: 20 }, (_, i) => `u${i}`);
    const seen = message(1, { reactions: [{ emoji: '👍', count: 21, user_ids, me: false }] });
    const early = taken(holding({ last_seq: 1 }), chatId, page([seen], 2));
    expect(chatOf(apply(early, reacted(2, 1, '👍', 'u20'))).timeline!.lines[0]!.message.reactions[0]!.count).toBe(21);
  });

  test('does not get messages again that lie before its page', () => {
    const early = taken(holding({ last_seq: 1 }), chatId, page([message(3), message(4)], 4, { has_more: true }));
    expect(texts(apply(early, created(2), created(3), created(4), created(5)))).toEqual(['3:text 3', '4:text 4', '5:text 5']);
  });
});

describe('older pages', () => {
  const newest = () => taken(holding({ last_seq: 4 }), chatId, page([message(3), message(4)], 4, { has_more: true }));

  test('are put in front', () => {
    const { state } = takeOlder(newest(), chatId, 3, page([message(1), message(2)], 4));
    expect(texts(state)).toEqual(['1:text 1', '2:text 2', '3:text 3', '4:text 4']);
    expect(chatOf(state).timeline!.hasBefore).toBe(false);
  });

  test('get the events since their snapshot, new messages aside', () => {
    const live = apply(newest(), created(5), deleted(6, 1, 2));
    const { state } = takeOlder(live, chatId, 3, page([message(1), message(2)], 4));
    expect(texts(state)).toEqual(['1:', '2:text 2', '3:text 3', '4:text 4', '5:text 5']);
  });

  test('that hold events which are still to come are not changed by them', () => {
    const older = page([message(1, { reactions: [{ emoji: '👍', count: 1, user_ids: ['other'], me: false }] })], 5);
    const { state } = takeOlder(newest(), chatId, 3, older);
    const after = apply(state, reacted(5, 1));
    expect(chatOf(after).timeline!.lines[0]!.message.reactions[0]!.count).toBe(1);
    expect(chatOf(after).cursor).toBe(5);
  });

  test('asked for before the history was replaced are dropped', () => {
    const replaced = taken(newest(), chatId, page([message(4)], 4, { has_more: true }));
    expect(takeOlder(replaced, chatId, 3, page([message(1), message(2)], 4)).state).toBe(replaced);
    const stale = applyReset(newest(), chatId, 9);
    expect(takeOlder(stale, chatId, 3, page([message(1), message(2)], 9)).state).toBe(stale);
  });

  test('asked for twice are put in once', () => {
    const once = takeOlder(newest(), chatId, 3, page([message(1), message(2)], 4)).state;
    expect(takeOlder(once, chatId, 3, page([message(1), message(2)], 4)).state).toBe(once);
  });
});

test('a chat that is not shown forgets its oldest lines', () => {
  const messages = Array.from({ length: 30 }, (_, i) => message(i + 1));
  const state = trimTimeline(taken(holding({ last_seq: 30 }), chatId, page(messages, 30)), chatId, 10);
  expect(texts(state)[0]).toBe('21:text 21');
  expect(chatOf(state).timeline!.hasBefore).toBe(true);
  expect(chatOf(apply(state, edited(31, 2, 'x', 2), created(32))).timeline!.lines).toHaveLength(11);
});
