import { describe, expect, test } from 'vitest';
import { comingOf, compared, known, tell, withComings, type Coming, type Happening } from '../src/page/chat/comings';
import { rows } from '../src/page/chat/rows';
import { entry, event, me, message, other } from './make';

/** Who joins and leaves is told in few lines. */

let seq = 0;
const coming = (text: string): Coming => {
  const [user = '', op = '', by = user] = text.split(' ');
  return { seq: ++seq, ts: '', user, joined: op === 'joined' || op === 'added', by };
};
const run = (...texts: string[]) => texts.map(coming);
const person = (user: string, joined: boolean, back: number, same: boolean, by = user) => ({ kind: 'person', user, by, joined, back, same });

const group = (user: string, others: number, joined: boolean, by = '') => ({ kind: 'group', user, others, by, joined });

describe('between two messages', () => {
  test.each([
    [['ann joined'], [person('ann', true, 0, true)]],
    [['ann added bob'], [person('ann', true, 0, true, 'bob')]],
    [['ann joined', 'ann left'], [person('ann', true, 1, false)]],
    [['ann joined', 'ann left', 'ann joined', 'ann left'], [person('ann', true, 2, false)]],
    [['ann left', 'ann joined', 'ann left'], [person('ann', false, 1, true)]],
    [['ann joined', 'bob joined', 'ann left'], [person('ann', true, 1, false), person('bob', true, 0, true)]],
    [['a joined', 'b joined', 'c joined', 'd joined'], [group('a', 3, true)]],
    [['b added ann', 'c added ann', 'd added ann', 'e added ann'], [group('b', 3, true, 'ann')]],
    [['b added ann', 'c added ann', 'd joined', 'e left'], [group('b', 1, true, 'ann'), person('d', true, 0, true), person('e', false, 0, true)]],
    [['a joined', 'b left', 'c added d', 'd removed c', 'e joined'], [{ kind: 'people', joined: 3, left: 2 }]],
  ])('%j', (texts, lines) => {
    expect(tell(run(...texts))).toEqual(lines);
  });
});

test('they stand between the messages, and the message after them shows its sender', () => {
  const lines = [1, 2, 5].map((at) => ({ message: message(at), asOf: at }));
  const joined = (at: number): Coming => ({ seq: at, ts: '', user: 'ann', joined: true, by: 'ann' });
  const all = withComings(rows(lines, [], me, null), [joined(3), joined(4), joined(6)], other);
  expect(all.map((row) => [row.kind, row.first])).toEqual([
    ['message', true],
    ['message', false],
    ['comings', false],
    ['message', true],
    ['comings', false],
  ]);
});

test('those with whom the chat began are not told of', () => {
  const added = (at: number, by: string): Coming => ({ seq: at, ts: '', user: `u${at}`, joined: true, by });
  const told = (...comings: Coming[]) => withComings([], comings, other).flatMap((row) => (row.kind === 'comings' ? row.told : []));
  expect(told(added(2, other), added(3, other))).toEqual([]);
  expect(told(added(2, other), added(3, other), added(5, other))).toEqual([person('u5', true, 0, true, other)]);
  expect(told(added(7, other))).toEqual([person('u7', true, 0, true, other)]);
});

test('of the events of members only joining and leaving counts', () => {
  expect(comingOf(event(1, 'member.updated', { user_id: 'ann', role: 'admin', by: other }))).toBeUndefined();
  expect(comingOf(event(1, 'member.removed', { user_id: 'ann', by: other }))).toMatchObject({ user: 'ann', joined: false, by: other });
});

describe('what becomes of the chat', () => {
  const chat = (change: Parameters<typeof entry>[0]) => entry({ name: 'tea', topic: 'green', ...change });
  const updated = (at: number, change: Parameters<typeof entry>[0]) => comingOf(event(at, 'chat.updated', chat(change)))!;
  const told = (...happenings: Happening[]) => tell(compared(happenings)).map((one) => (one.kind === 'change' ? `${one.by} ${one.what} ${one.text}`.trim() : one.kind));

  test('is told as what differs from before', () => {
    const begun = comingOf(event(1, 'chat.created', chat({})))!;
    expect(told(begun, updated(4, { name: 'coffee' }))).toEqual(['other name coffee']);
    expect(told(begun, updated(4, { topic: '' }))).toEqual(['other topic']);
    expect(told(begun, updated(4, { archived: true }))).toEqual(['other archived']);
    expect(told(known(9, chat({ archived: true })), updated(10, {}))).toEqual(['other unarchived']);
    expect(told(begun, updated(4, { name: 'coffee', topic: 'black' }))).toEqual(['other name coffee', 'other topic black']);
    expect(told(begun, updated(4, {}))).toEqual([]);
  });

  test('is told once for each thing, however often it changes', () => {
    expect(told(known(3, chat({})), updated(4, { name: 'a' }), updated(5, { name: 'b' }), updated(6, { name: 'c', topic: 'x' }))).toEqual(['other name c', 'other topic x']);
  });

  test('is told without particulars if nobody knows how it was', () => {
    expect(told(updated(4, { name: 'coffee' }))).toEqual(['other details']);
    expect(told(updated(4, { archived: true }))).toEqual(['other archived']);
  });

  test('stands between the messages', () => {
    const lines = [1, 5].map((at) => ({ message: message(at), asOf: at }));
    const all = withComings(rows(lines, [], me, null), [known(2, chat({})), updated(3, { name: 'coffee' })], other);
    expect(all.map(({ kind }) => kind)).toEqual(['message', 'comings', 'message']);
  });
});
