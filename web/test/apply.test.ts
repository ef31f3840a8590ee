import { describe, expect, test } from 'vitest';
import { applyJoined, applyLeft, applyOwnCursor, applyReset, beginResume, finishResume, putChats } from '../src/client/apply';
import { putEntry, putEvents, putNewest } from '../src/client/history';
import { byActivity, emptyState } from '../src/client/state';
import { apply, chatId, chatOf, created, deleted, edited, entry, event, holding, me, message, other, page, reacted, texts, time, unreacted } from './make';

/** A chat at seq 2 with the two messages loaded. */
function open() {
  return putNewest(holding({ last_seq: 2 }), chatId, page([message(1), message(2)], 2)).state;
}

describe('events', () => {
  test('are applied in order', () => {
    const state = apply(open(), created(3), edited(4, 1, 'better', 2), deleted(5, 2, 2));
    expect(texts(state)).toEqual(['1:better', '2:', '3:text 3']);
    expect(chatOf(state).cursor).toBe(5);
    expect(chatOf(state).history!.lines[0]!.message).toMatchObject({ version: 2, edited_at: time(4) });
    expect(chatOf(state).history!.lines[1]!.message).toMatchObject({ version: 2, deleted_at: time(5) });
  });

  test('that were applied already change nothing', () => {
    const once = apply(open(), created(3), reacted(4, 3));
    expect(apply(once, created(3), reacted(4, 3), reacted(4, 3))).toBe(once);
    expect(chatOf(once).entry.unread).toBe(1);
  });

  test('of an unknown op advance the cursor and nothing else', () => {
    const state = apply(open(), { ...created(3), op: 'x-poll.opened', d: {} } as never, created(4));
    expect(chatOf(state).cursor).toBe(4);
    expect(texts(state)).toEqual(['1:text 1', '2:text 2', '4:text 4']);
  });

  test('of an unknown chat are ignored', () => {
    const state = open();
    expect(apply(state, { ...created(3), chat_id: 'another' })).toBe(state);
  });

  test('with an older version change no content, but advance the cursor', () => {
    const state = apply(open(), edited(3, 1, 'newest', 3), edited(4, 1, 'older', 2), deleted(5, 1, 2));
    expect(texts(state)[0]).toBe('1:newest');
    expect(chatOf(state).cursor).toBe(5);
  });

  test('never bring a deleted text back', () => {
    const state = apply(open(), deleted(3, 1, 2), edited(4, 1, 'ghost', 3));
    expect(texts(state)[0]).toBe('1:');
  });

  test('leave the previous state as it was', () => {
    const before = open();
    const copy = structuredClone(chatOf(before));
    apply(before, created(3), edited(4, 1, 'x', 2), reacted(5, 1));
    expect(chatOf(before)).toEqual(copy);
  });
});

describe('reactions', () => {
  test('are counted by emoji, and own ones are known', () => {
    const state = apply(open(), reacted(3, 1), reacted(4, 1, '👍', me), reacted(5, 1, '🎉'));
    expect(chatOf(state).history!.lines[0]!.message.reactions).toEqual([
      { emoji: '👍', count: 2, user_ids: [other, me], me: true },
      { emoji: '🎉', count: 1, user_ids: [other], me: false },
    ]);
  });

  test('go away with the last one', () => {
    const state = apply(open(), reacted(3, 1), reacted(4, 1, '👍', me), unreacted(5, 1, '👍', me), unreacted(6, 1));
    expect(chatOf(state).history!.lines[0]!.message.reactions).toEqual([]);
  });

  test('beyond the first twenty users are only counted', () => {
    const user_ids = Array.from({ length: 20 }, (_, i) => `u${i}`);
    const full = message(1, { reactions: [{ emoji: '👍', count: 25, user_ids, me: false }] });
    const state = apply(putNewest(holding({ last_seq: 1 }), chatId, page([full], 1)).state, reacted(2, 1, '👍', me));
    const [reaction] = chatOf(state).history!.lines[0]!.message.reactions;
    expect(reaction).toMatchObject({ count: 26, user_ids, me: true });
    const gone = apply(state, unreacted(3, 1, '👍', me));
    expect(chatOf(gone).history!.lines[0]!.message.reactions[0]).toMatchObject({ count: 25, me: false });
  });
});

describe('holes', () => {
  test('stop the fold until they are filled', () => {
    const broken = apply(open(), created(4), created(5));
    expect(texts(broken)).toEqual(['1:text 1', '2:text 2']);
    expect(chatOf(broken)).toMatchObject({ cursor: 2, ahead: [{ seq: 4 }, { seq: 5 }] });
    const filled = apply(broken, created(3));
    expect(texts(filled)).toEqual(['1:text 1', '2:text 2', '3:text 3', '4:text 4', '5:text 5']);
    expect(chatOf(filled)).toMatchObject({ cursor: 5, ahead: [] });
  });

  test('are filled by a read of events, in pages', () => {
    const broken = apply(open(), created(6));
    const half = putEvents(broken, chatId, { events: [created(3), created(4)], last_seq: 6, epoch: 'e1' });
    expect(half.again).toBe(true);
    const whole = putEvents(half.state, chatId, { events: [created(5), created(6)], last_seq: 6, epoch: 'e1' });
    expect(whole.again).toBe(false);
    expect(chatOf(whole.state).cursor).toBe(6);
    expect(texts(whole.state)).toHaveLength(6);
  });

  test('keep repeated events once', () => {
    const broken = apply(open(), created(5), created(4), created(5));
    expect(chatOf(broken).ahead.map((e) => e.seq)).toEqual([4, 5]);
    expect(chatOf(apply(broken, created(3))).entry.unread).toBe(3);
  });

  test('that cannot be filled are skipped like a reset, and what lies beyond is kept', () => {
    const broken = apply(open(), created(6), created(7));
    const reset = { reason: 'trimmed', seq: 5 } as const;
    const { state } = putEvents(broken, chatId, { events: [], last_seq: 7, epoch: 'e1', reset });
    expect(chatOf(state)).toMatchObject({ cursor: 7, stale: true, entryStale: true, ahead: [] });
  });
});

describe('counts', () => {
  test('unread counts messages by others, mentions those that mention the user', () => {
    const state = apply(
      holding(),
      event(1, 'member.added', { user_id: 'third', role: 'member', by: other }),
      created(2),
      created(3, { mentions: [me] }),
      created(4, { mentions_all: true }),
      reacted(5, 2),
    );
    expect(chatOf(state).entry).toMatchObject({ unread: 3, mentions: 2, last_seq: 5, member_count: 3 });
  });

  test('sending marks earlier messages as read', () => {
    const state = apply(holding(), created(1, { mentions: [me] }), created(2, { sender_id: me }));
    expect(chatOf(state).entry).toMatchObject({ unread: 0, mentions: 0, read_seq: 2 });
  });

  test('a deletion lowers mentions, not unread', () => {
    const state = putNewest(holding(), chatId, page([], 0)).state;
    const gone = apply(state, created(1, { mentions: [me] }), created(2), deleted(3, 1, 2));
    expect(chatOf(gone).entry).toMatchObject({ unread: 2, mentions: 0 });
    expect(chatOf(gone).entryStale).toBe(false);
  });

  test('an edit of a message that is not held is resolved by reading the entry', () => {
    const state = apply(holding({ last_seq: 9, unread: 4, mentions: 1 }), edited(10, 3, 'x', 2));
    expect(chatOf(state).entryStale).toBe(true);
    const { state: read } = putEntry(apply(state, created(11)), entry({ last_seq: 10, unread: 4, mentions: 0 }));
    expect(chatOf(read).entry).toMatchObject({ unread: 5, mentions: 0, last_seq: 11 });
    expect(chatOf(read).entryStale).toBe(false);
  });

  test('the own cursor moves only forward, from any device', () => {
    const state = apply(holding(), created(1), created(2), created(3));
    const half = applyOwnCursor(state, chatId, { read_seq: 2, delivered_seq: 2, unread: 1, mentions: 0 });
    expect(chatOf(half).entry).toMatchObject({ unread: 1, read_seq: 2 });
    const all = applyOwnCursor(half, chatId, { read_seq: 3, delivered_seq: 3 });
    expect(chatOf(all).entry).toMatchObject({ unread: 0, read_seq: 3 });
    expect(applyOwnCursor(all, chatId, { read_seq: 1, delivered_seq: 1, unread: 2, mentions: 0 })).toBe(all);
  });

  test('the last message follows edits and deletions, cut as the server cuts it', () => {
    const long = apply(holding(), created(1, { body: '😀'.repeat(300) }));
    expect(Array.from(chatOf(long).entry.last_message!.body)).toHaveLength(200);
    expect(chatOf(apply(long, edited(2, 1, 'short', 2))).entry.last_message!.body).toBe('short');
    expect(chatOf(apply(long, deleted(2, 1, 2))).entry.last_message).toMatchObject({ body: '', deleted_at: time(2) });
  });
});

describe('members and names', () => {
  test('follow the events', () => {
    const state = apply(
      holding({ kind: 'group' }),
      event(1, 'member.added', { user_id: 'third', role: 'member', by: other }),
      event(2, 'member.updated', { user_id: me, role: 'admin', by: other }),
      event(3, 'member.removed', { user_id: other, by: me }),
      event(4, 'chat.updated', { ...entry(), name: 'coffee', topic: 'beans', archived: true }),
    );
    expect(chatOf(state).entry).toMatchObject({
      member_ids: [me, 'third'],
      member_count: 2,
      role: 'admin',
      name: 'coffee',
      topic: 'beans',
      archived: true,
    });
    expect(chatOf(state).memberRev).toBe(3);
  });
});

describe('resume', () => {
  test('sends a cursor for every chat whose history is loaded and whole', () => {
    const loaded = apply(open(), created(3));
    expect(beginResume(loaded).cursors).toEqual({ [chatId]: 3 });
    expect(beginResume(holding({ last_seq: 9 })).cursors).toEqual({});
    expect(beginResume(applyReset(loaded, chatId, 9)).cursors).toEqual({});
  });

  test('replays missed events into the history, and takes counts from the entry', () => {
    const begun = beginResume(open()).state;
    const listed = putChats(begun, [entry({ last_seq: 4, unread: 7 })]);
    const done = finishResume(apply(listed, created(3), created(4)), 'e1');
    expect(texts(done)).toEqual(['1:text 1', '2:text 2', '3:text 3', '4:text 4']);
    expect(chatOf(done).entry.unread).toBe(7);
    expect(chatOf(apply(done, created(5))).entry.unread).toBe(8);
  });

  test('drops chats that the server does not name, keeps those that it does', () => {
    const two = putChats(open(), [entry({ id: 'chat-2' })]);
    const done = finishResume(putChats(beginResume(two).state, [entry({ id: 'chat-2' })]), 'e1');
    expect([...done.chats.keys()]).toEqual(['chat-2']);
  });

  test('keeps a chat that was joined while it ran', () => {
    const joined = applyJoined(beginResume(emptyState(me)).state, entry({ last_seq: 3 }));
    expect(chatOf(finishResume(joined, 'e1')).cursor).toBe(3);
  });

  test('does not assume that history read after the cursors were sent is complete', () => {
    const begun = beginResume(holding({ last_seq: 2 })).state;
    const read = putNewest(begun, chatId, page([message(1), message(2)], 2)).state;
    const listed = putChats(read, [entry({ last_seq: 4 })]);
    expect(chatOf(listed)).toMatchObject({ cursor: 4, stale: true });
  });
});

describe('reset', () => {
  test('marks the history stale, and events after it do not touch the stale lines', () => {
    const state = apply(applyReset(open(), chatId, 8), created(9));
    expect(chatOf(state)).toMatchObject({ stale: true, entryStale: true, cursor: 9 });
    expect(texts(state)).toEqual(['1:text 1', '2:text 2']);
  });

  test('ends when the history is read, with the events since', () => {
    const state = apply(applyReset(open(), chatId, 8), created(9));
    const { state: read, again } = putNewest(state, chatId, page([message(7), message(8)], 8));
    expect(again).toBe(false);
    expect(chatOf(read).stale).toBe(false);
    expect(texts(read)).toEqual(['7:text 7', '8:text 8', '9:text 9']);
  });

  test('may set the cursor back', () => {
    const state = apply(applyReset(apply(open(), created(3)), chatId, 1), created(2, { body: 'restored' }));
    expect(chatOf(state).cursor).toBe(2);
    expect(chatOf(state).log).toHaveLength(1);
  });

  test('in a resume finds the entry up to date', () => {
    const listed = putChats(beginResume(open()).state, [entry({ last_seq: 900 })]);
    expect(chatOf(applyReset(listed, chatId, 900))).toMatchObject({ stale: true, entryStale: false });
  });
});

describe('joining and leaving', () => {
  test('chat.joined acts as a reset at the last seq of its entry', () => {
    const state = applyJoined(open(), entry({ last_seq: 6, added_seq: 6 }));
    expect(chatOf(state)).toMatchObject({ cursor: 6, stale: true, entryStale: false });
    expect(chatOf(apply(state, created(7))).entry.unread).toBe(1);
  });

  test('chat.left removes the chat, unless the user has joined again since', () => {
    expect(applyLeft(open(), chatId, 9).chats.size).toBe(0);
    expect(applyLeft(holding({ added_seq: 10 }), chatId, 9).chats.size).toBe(1);
  });
});

test('the list shows the newest activity first', () => {
  const state = putChats(emptyState(me), [
    entry({ id: 'a', last_message: message(1) }),
    entry({ id: 'b', created_at: time(9) }),
    entry({ id: 'c', last_message: message(5) }),
  ]);
  expect(byActivity(state).map(({ entry: e }) => e.id)).toEqual(['b', 'c', 'a']);
});

test('what was read before the first `ready` is neither resumed nor taken for replayed', () => {
  const before = putNewest({ ...holding({ last_seq: 2 }), epoch: '', loaded: false }, chatId, page([message(1), message(2)], 2)).state;
  const { state, cursors } = beginResume(before);
  expect(cursors).toEqual({});
  const after = finishResume(putChats(state, [entry({ last_seq: 3 })]), 'e1');
  expect([chatOf(after).stale, chatOf(after).cursor]).toEqual([true, 3]);
  expect(chatOf(finishResume(putChats(state, [entry({ last_seq: 2 })]), 'e1')).stale).toBe(false);
});
