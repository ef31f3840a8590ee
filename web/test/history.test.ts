import { describe, expect, test } from 'vitest';
import { applyReset } from '../src/client/apply';
import { putNewest, putOlder, trimHistory } from '../src/client/history';
import { logLimit } from '../src/client/state';
import { apply, chatId, chatOf, created, deleted, edited, holding, message, page, reacted, texts } from './make';

function put(...args: Parameters<typeof putNewest>) {
  const { state, again } = putNewest(...args);
  expect(again).toBe(false);
  return state;
}

describe('late history answer', () => {
  test('gets the live events that came after it', () => {
    const live = apply(holding({ last_seq: 2 }), created(3), edited(4, 1, 'edited', 2), reacted(5, 2), created(6));
    const state = put(live, chatId, page([message(1), message(2)], 2));
    expect(texts(state)).toEqual(['1:edited', '2:text 2', '3:text 3', '6:text 6']);
    expect(chatOf(state).history!.lines[1]!.message.reactions[0]!.count).toBe(1);
  });

  test('already includes live events up to its seq', () => {
    const live = apply(holding({ last_seq: 2 }), created(3), reacted(4, 1));
    const seen = message(1, { reactions: [{ emoji: '👍', count: 1, user_ids: ['other'], me: false }] });
    const state = put(live, chatId, page([seen, message(2), message(3)], 4));
    expect(texts(state)).toEqual(['1:text 1', '2:text 2', '3:text 3']);
    expect(chatOf(state).history!.lines[0]!.message.reactions[0]!.count).toBe(1);
  });

  test('that is too old to bring up to date is read again', () => {
    const many = Array.from({ length: logLimit + 5 }, (_, i) => created(i + 3));
    const live = apply(holding({ last_seq: 2 }), ...many);
    expect(putNewest(live, chatId, page([message(1), message(2)], 2))).toEqual({ state: live, again: true });
  });

  test('from before a reset is read again', () => {
    const reset = applyReset(put(holding({ last_seq: 2 }), chatId, page([message(1)], 2)), chatId, 9);
    expect(putNewest(reset, chatId, page([message(1), message(2)], 2)).again).toBe(true);
  });

  test('of another epoch is read again', () => {
    const answer = page([message(1)], 2, { epoch: 'e0' });
    expect(putNewest(holding({ last_seq: 2 }), chatId, answer).again).toBe(true);
  });

  test('for a chat that was left meanwhile is dropped', () => {
    const state = holding();
    expect(putNewest(state, 'gone', page([message(1)], 1))).toEqual({ state, again: false });
  });
});

describe('early history answer', () => {
  test('is not changed by events that it includes already', () => {
    const seen = message(1, { body: 'edited', version: 2, reactions: [{ emoji: '👍', count: 1, user_ids: ['other'], me: false }] });
    const early = put(holding({ last_seq: 1 }), chatId, page([seen, message(4)], 4));
    const state = apply(early, edited(2, 1, 'edited', 2), reacted(3, 1), created(4));
    expect(texts(state)).toEqual(['1:edited', '4:text 4']);
    expect(chatOf(state).history!.lines[0]!.message.reactions[0]!.count).toBe(1);
    expect(chatOf(state)).toMatchObject({ cursor: 4, entry: { unread: 1, last_seq: 4 } });
  });

  test('does not count a reaction twice, even from a user it does not name', () => {
    const user_ids = Array.from({ length: 20 }, (_, i) => `u${i}`);
    const seen = message(1, { reactions: [{ emoji: '👍', count: 21, user_ids, me: false }] });
    const early = put(holding({ last_seq: 1 }), chatId, page([seen], 2));
    expect(chatOf(apply(early, reacted(2, 1, '👍', 'u20'))).history!.lines[0]!.message.reactions[0]!.count).toBe(21);
  });

  test('does not get messages before its page again', () => {
    const early = put(holding({ last_seq: 1 }), chatId, page([message(3), message(4)], 4, { has_more: true }));
    expect(texts(apply(early, created(2), created(3), created(4), created(5)))).toEqual(['3:text 3', '4:text 4', '5:text 5']);
  });
});

describe('older pages', () => {
  const newest = () => put(holding({ last_seq: 4 }), chatId, page([message(3), message(4)], 4, { has_more: true }));

  test('are put in front', () => {
    const { state } = putOlder(newest(), chatId, 3, page([message(1), message(2)], 4));
    expect(texts(state)).toEqual(['1:text 1', '2:text 2', '3:text 3', '4:text 4']);
    expect(chatOf(state).history!.hasBefore).toBe(false);
  });

  test('get the events since their snapshot, except new messages', () => {
    const live = apply(newest(), created(5), deleted(6, 1, 2));
    const { state } = putOlder(live, chatId, 3, page([message(1), message(2)], 4));
    expect(texts(state)).toEqual(['1:', '2:text 2', '3:text 3', '4:text 4', '5:text 5']);
  });

  test('are not changed by events that they include before those arrive', () => {
    const older = page([message(1, { reactions: [{ emoji: '👍', count: 1, user_ids: ['other'], me: false }] })], 5);
    const { state } = putOlder(newest(), chatId, 3, older);
    const after = apply(state, reacted(5, 1));
    expect(chatOf(after).history!.lines[0]!.message.reactions[0]!.count).toBe(1);
    expect(chatOf(after).cursor).toBe(5);
  });

  test('requested before the history was replaced are dropped', () => {
    const replaced = put(newest(), chatId, page([message(4)], 4, { has_more: true }));
    expect(putOlder(replaced, chatId, 3, page([message(1), message(2)], 4)).state).toBe(replaced);
    const stale = applyReset(newest(), chatId, 9);
    expect(putOlder(stale, chatId, 3, page([message(1), message(2)], 9)).state).toBe(stale);
  });

  test('requested twice are inserted once', () => {
    const once = putOlder(newest(), chatId, 3, page([message(1), message(2)], 4)).state;
    expect(putOlder(once, chatId, 3, page([message(1), message(2)], 4)).state).toBe(once);
  });
});

test('a hidden chat forgets its oldest lines', () => {
  const messages = Array.from({ length: 30 }, (_, i) => message(i + 1));
  const state = trimHistory(put(holding({ last_seq: 30 }), chatId, page(messages, 30)), chatId, 10);
  expect(texts(state)[0]).toBe('21:text 21');
  expect(chatOf(state).history!.hasBefore).toBe(true);
  expect(chatOf(apply(state, edited(31, 2, 'x', 2), created(32))).history!.lines).toHaveLength(11);
});
