import 'fake-indexeddb/auto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { putNewest } from '../src/client/history';
import { fromEntry, withChat } from '../src/client/state';
import { Store, type Snapshot } from '../src/client';
import { restored, Shelf } from '../src/page/state/shelf';
import { chatId, chatOf, entry, holding, message, page, texts } from './make';

/** What is kept for when there is no network. */

const user = { id: 'me', username: 'me', display_name: 'Mia', created_at: '' };
let shelf: Shelf;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  shelf = new Shelf();
});

afterEach(async () => {
  await shelf.clear();
  vi.useRealTimers();
});

const snapshot = (state: Snapshot['state']): Snapshot => ({ ...new Store('me').get(), state, users: new Map([['other', { ...user, id: 'other' }], ['stranger', { ...user, id: 'stranger' }]]) });
const lines = (n: number) => Array.from({ length: n }, (_, i) => message(i + 1));
const filled = (n = 60) => putNewest(holding({ last_seq: n }), chatId, page(lines(n), n)).state;

/** Keeps it and lets so much time pass that it is put away. */
async function keep(state: Snapshot['state']): Promise<void> {
  shelf.keep(user, snapshot(state));
  await vi.advanceTimersByTimeAsync(11_000);
}

test('the last messages of a chat are shown as they were, by whoever wrote them', async () => {
  await keep(filled());
  await vi.waitFor(async () => expect(await shelf.load()).toBeDefined());
  const kept = (await shelf.load())!;
  expect(kept.users.map(({ id }) => id)).toEqual(['other']);
  const state = restored(kept);
  expect(texts(state)).toEqual(lines(60).slice(-50).map(({ seq }) => `${seq}:text ${seq}`));
  expect([chatOf(state).stale, chatOf(state).cursor, chatOf(state).history!.hasBefore, state.epoch, state.loaded]).toEqual([false, 60, true, 'e1', false]);
});

test('of many chats the latest are kept', async () => {
  let state = holding();
  for (let n = 0; n < 40; n++) state = withChat(state, `c${n}`, fromEntry(entry({ id: `c${n}`, created_at: new Date(Date.UTC(2026, 0, n + 2)).toISOString() })));
  await keep(state);
  await vi.waitFor(async () => expect((await shelf.load())?.chats).toHaveLength(30));
  expect((await shelf.load())!.chats.map((chat) => chat.entry.id)).toEqual(Array.from({ length: 30 }, (_, i) => `c${39 - i}`));
});

test('what was shown before stays, but is read again', async () => {
  await keep(filled(5));
  const later = withChat(holding(), chatId, fromEntry(entry({ last_seq: 9 })));
  await keep(later);
  await vi.waitFor(async () => expect((await shelf.load())?.chats[0]?.entry.last_seq).toBe(9));
  const chat = chatOf(restored((await shelf.load())!));
  expect([chat.history!.lines.length, chat.stale]).toEqual([5, true]);
});

test('nothing is kept of a user before all is known, nor after the log-out', async () => {
  await keep({ ...filled(), loaded: false });
  expect(await shelf.load()).toBeUndefined();
  await keep(filled());
  await vi.waitFor(async () => expect(await shelf.load()).toBeDefined());
  await shelf.clear();
  expect(await shelf.load()).toBeUndefined();
});
