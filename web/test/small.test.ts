import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fullJitter } from '../src/client/backoff';
import { afterClose, closeSentence } from '../src/client/close';
import { newKey } from '../src/client/key';
import { chatTitle, grantable, hue, initials, mayActOn } from '../src/page/text/names';
import { isComposing, isSend } from '../src/page/elements/keys';
import { nothingKnown, rows } from '../src/page/chat/rows';
import { en } from '../src/page/i18n/en';
import type { User } from '../src/client/types';
import { entry, me, message, other, time } from './make';

describe('backoff', () => {
  const almostOne = () => 0.999999;

  test('spreads over the whole of a doubling range, up to a cap', () => {
    const ceilings = [0, 1, 2, 3, 50].map((n) => fullJitter(n, { baseMs: 100, capMs: 1000, random: almostOne }));
    expect(ceilings).toEqual([100, 200, 400, 800, 1000]);
    expect(fullJitter(5, { baseMs: 100, capMs: 1000, random: () => 0 })).toBe(0);
  });
});

describe('close codes', () => {
  test.each([1000, 1001, 1006, 1012, 1013, 4000, 4002, 4005, 4499])('%i reconnects', (code) => {
    expect(afterClose(code)).toBe('reconnect');
  });
  test.each([1007, 1008, 1009, 4502, 4504, 4999])('%i stops', (code) => {
    expect(afterClose(code)).toBe('stop');
    expect(closeSentence(code)).toMatch(/\.$/);
  });
  test.each([4500, 4501, 4503])('%i asks for a login', (code) => {
    expect(afterClose(code)).toBe('login');
  });
});

test('keys fit the protocol and do not repeat', () => {
  const keys = Array.from({ length: 100 }, newKey);
  expect(new Set(keys).size).toBe(100);
  for (const key of keys) expect(key).toMatch(/^[\x21-\x7e]{1,64}$/);
});

describe('names', () => {
  const user = (id: string, display_name: string): [string, User] => [id, { id, username: id, display_name, created_at: '' }];
  const users = new Map([user(me, 'Mia'), user(other, 'Otto'), user('x', ''), user('y', 'Yin')]);

  test('of chats', () => {
    expect(chatTitle(entry({ kind: 'direct' }), users, me, en.names)).toBe('Otto');
    expect(chatTitle(entry({ name: 'tea' }), users, me, en.names)).toBe('tea');
    expect(chatTitle(entry({ name: '', member_ids: [me, other, 'x', 'y', 'z'] }), users, me, en.names)).toBe('Otto, x, Yin and 1 more');
    expect(chatTitle(entry({ name: '', member_ids: [me] }), users, me, en.names)).toBe('Only you');
    expect(chatTitle(entry({ name: '', member_ids: undefined, member_count: 1204 }), users, me, en.names)).toBe('Group of 1204');
  });

  test('have initials and a constant colour', () => {
    expect([initials('Ada Lovelace'), initials('bob'), initials('李 小龙'), initials('')]).toEqual(['AL', 'B', '李小', '?']);
    expect(hue('abc')).toBe(hue('abc'));
  });

  test('roles act downwards and on equals', () => {
    expect(mayActOn('admin', 'owner')).toBe(false);
    expect(mayActOn('admin', 'admin')).toBe(true);
    expect(mayActOn('member', 'member')).toBe(false);
    expect(grantable('admin')).toEqual(['member', 'admin']);
  });
});

describe('Enter', () => {
  const press = { key: 'Enter', shiftKey: false, isComposing: false, keyCode: 13 };

  test('sends on its own', () => {
    expect(isSend(press)).toBe(true);
    expect(isSend({ ...press, shiftKey: true })).toBe(false);
    expect(isSend({ ...press, key: 'a' })).toBe(false);
  });

  test('of an input method does not send', () => {
    expect(isSend({ ...press, isComposing: true })).toBe(false);
    expect(isSend({ ...press, keyCode: 229 })).toBe(false);
    expect(isComposing({ ...press, keyCode: 229 })).toBe(true);
    expect(isComposing(press)).toBe(false);
  });
});

test('a page whose files are not found says so, and any other does not', () => {
  const file = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
  expect(file('index.html')).toMatch(/<body>[^]*<p id="lost">\s*Fechatter cannot load its files\./);
  expect(file('src/app.css')).toMatch(/^#lost \{\n {2}display: none;\n\}/m);
});

describe('rows', () => {
  const lines = (...messages: ReturnType<typeof message>[]) => messages.map((m) => ({ message: m, asOf: 99 }));
  const kinds = (list: ReturnType<typeof rows>) =>
    list.flatMap((r) => [...(r.day ? ['day'] : []), ...(r.fresh ? ['new'] : []), r.kind === 'message' ? `${r.message.seq}${r.first ? '+' : ''}` : r.kind]);

  test('group what one user wrote at a time, and divide days', () => {
    const list = rows(lines(message(1), message(2), message(3, { sender_id: me }), message(4, { created_at: '2026-01-05T00:00:00.000Z' })), [], me, null);
    expect(kinds(list)).toEqual(['day', '1+', '2', '3+', 'day', '4+']);
  });

  test('have one divider before the first new message by another user', () => {
    const list = rows(lines(message(1), message(2, { sender_id: me }), message(3), message(4)), [], me, 1);
    expect(kinds(list)).toEqual(['day', '1+', '2+', 'new', '3+', '4']);
  });

  test('do not repeat a send whose message is in the history', () => {
    const pending = { key: 'k', chat_id: 'c', body: 'x', written_at: Date.parse(time(2)), attempts: 0, due: 0 };
    const ack = { message_id: 'm2', seq: 2, ts: time(2), replayed: false };
    const list = rows(lines(message(1), message(2)), [{ ...pending, status: 'acked', ack }, { ...pending, key: 'l', status: 'queued' }], me, null);
    expect(kinds(list)).toEqual(['day', '1+', '2', 'pending']);
  });

  test('of unsent messages stand below the day on which they were written', () => {
    const unsent = (...days: string[]) => days.map((day, i) => ({ key: `k${i}`, chat_id: 'c', body: 'x', written_at: Date.parse(day), attempts: 0, due: 0, status: 'queued' as const }));
    const list = rows(lines(message(1, { sender_id: me, created_at: '2026-01-05T22:58:00Z' })), unsent('2026-01-05T22:59:00Z', '2026-01-05T23:01:00Z', '2026-01-05T23:02:00Z'), me, null);
    expect(kinds(list)).toEqual(['day', '1+', 'pending', 'day', 'pending', 'pending']);
    expect(list.map((row) => row.first)).toEqual([true, false, true, false]);
    expect(kinds(rows([], unsent('2026-01-05T12:00:00Z'), me, null))).toEqual(['day', 'pending']);
  });

  test('are the same objects as long as nothing about them changes', () => {
    const known = nothingKnown();
    const held = lines(message(1), message(2), message(3));
    const before = rows(held, [], me, null, known);
    const after = rows([...held, ...lines(message(4))], [], me, null, known);
    expect(after.slice(0, 3).every((row, i) => row === before[i])).toBe(true);
    const changed = rows(held.with(1, { ...held[1]!, asOf: 100 }), [], me, null, known);
    expect(changed.map((row, i) => row === before[i])).toEqual([true, false, false]);
    expect(rows(held.slice(1), [], me, null, known)[0]).toMatchObject({ day: held[1]!.message.created_at, first: true });
  });

  test('are the same as without the previous result', () => {
    const all = lines(...Array.from({ length: 12 }, (_, i) => message(i + 1, i % 3 === 0 ? { sender_id: me } : {})));
    const known = nothingKnown();
    const steps: [typeof all, number | null][] = [[all.slice(4, 8), 5], [all.slice(2, 8), 5], [all.slice(2, 9), null], [all.slice(2, 12).with(4, { ...all[6]!, asOf: 7 }), 9], [all, 2], [[], 2], [all.slice(0, 3), 0], [all.slice(6), 3]];
    for (const [held, newAfter] of steps) expect(rows(held, [], me, newAfter, known)).toEqual(rows(held, [], me, newAfter));
  });
});
