import 'fake-indexeddb/auto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Client, Draft, OutboxStorage } from '../src/client';
import { OutboxDatabase } from '../src/client/outbox-db';
import { shareWindows } from '../src/client/shared';
import { FakeServer, install, pass, uninstall } from './fake';
import { bodies, clientOf, commands, id, outbox, phase, stored } from './looks';
import { installWindows } from './windows';

/** A user's windows share one connection and one outbox. */

let server: FakeServer;
let windows: Client[];
let kept: Map<string, Draft>;

beforeEach(() => {
  server = new FakeServer();
  server.chat();
  install(server);
  installWindows();
  windows = [];
  kept = new Map();
});

afterEach(() => {
  for (const window of windows) window.stop();
  uninstall();
});

const storage: OutboxStorage = {
  load: () => [...kept.values()],
  save: (draft) => kept.set(draft.key, draft),
  forget: (key) => kept.delete(key),
};

async function open(shown: string | null = id): Promise<Client> {
  const client = clientOf(server, { storage, share: shareWindows() });
  windows.push(client);
  client.start();
  await pass();
  client.show(shown);
  await pass();
  return client;
}

describe('two windows', () => {
  test('have one connection, and both show new messages', async () => {
    server.post('other', 'before');
    const [first, second] = [await open(), await open()];
    expect(server.sockets.size).toBe(1);
    server.post('other', 'after');
    await pass();
    expect([phase(first), phase(second)]).toEqual(['online', 'online']);
    expect([bodies(first), bodies(second)]).toEqual([['before', 'after'], ['before', 'after']]);
  });

  test('send through the leader, in order, each message once', async () => {
    const [first, second] = [await open(), await open()];
    second.send(id, 'one');
    second.send(id, 'two');
    expect(outbox(second)).toEqual(['one queued', 'two queued']);
    await pass();
    expect([stored(server), bodies(first), bodies(second)]).toEqual([['one', 'two'], ['one', 'two'], ['one', 'two']]);
    expect([outbox(first), outbox(second), kept.size]).toEqual([[], [], 0]);
    expect(commands(server, 'message.send')).toHaveLength(2);
  });

  test('show the same pending and failed messages, and either can retry', async () => {
    const [first, second] = [await open(), await open()];
    server.before = ({ op }) => void (op === 'message.send' && FakeServer.refuse('forbidden'));
    second.send(id, 'no');
    await pass();
    expect([outbox(first), outbox(second)]).toEqual([['no failed'], ['no failed']]);
    server.before = () => {};
    second.retry(second.store.get().outbox[0]!.key);
    await pass();
    expect([stored(server), outbox(first), outbox(second)]).toEqual([['no'], [], []]);
  });

  test('take over from each other when one closes, and lose and double nothing', async () => {
    const [first, second] = [await open(), await open()];
    server.answers = ({ op }) => op !== 'message.send';
    second.send(id, 'unanswered');
    await pass();
    server.cut('silence');
    first.send(id, 'unheard');
    first.send(id, 'behind it');
    await pass();
    server.answers = () => true;
    first.stop();
    server.post('other', 'meanwhile');
    await pass(1_000);
    expect(server.sockets.size).toBe(1);
    expect(phase(second)).toBe('online');
    expect(stored(server)).toEqual(['unanswered', 'meanwhile', 'unheard', 'behind it']);
    expect(bodies(second)).toEqual(stored(server));
    expect([outbox(second), kept.size]).toEqual([[], 0]);
  });

  test('follow the connection through a loss', async () => {
    const [first, second] = [await open(), await open()];
    server.up = false;
    server.cut();
    await pass(500);
    expect([phase(first), phase(second)]).not.toContain('online');
    second.send(id, 'written offline');
    await pass(500);
    server.post('other', 'missed');
    server.up = true;
    await pass(30_000);
    expect([phase(first), phase(second)]).toEqual(['online', 'online']);
    expect(bodies(first)).toEqual(['missed', 'written offline']);
    expect(bodies(second)).toEqual(bodies(first));
  });

  test('show different chats, and neither misses anything', async () => {
    await open(null);
    const second = await open();
    server.cut();
    for (let i = 0; i < 5; i++) server.post('other', `missed ${i}`);
    await pass(30_000);
    expect(bodies(second)).toEqual(['missed 0', 'missed 1', 'missed 2', 'missed 3', 'missed 4']);
  });

  test('watch the presence that either shows, and read for both', async () => {
    server.presence = [{ user_id: 'ada', state: 'online' }, { user_id: 'bob', state: 'away' }];
    const [first, second] = [await open(), await open()];
    first.presences.show('list', ['ada']);
    second.presences.show('list', ['bob']);
    await pass(1_000);
    expect(new Set(commands(server, 'presence.watch').at(-1)!['d'].user_ids)).toEqual(new Set(['me', 'ada', 'bob']));
    expect(second.store.get().presence.get('bob')?.state).toBe('away');
    server.post('other', 'read me');
    await pass();
    void second.read(id);
    await pass();
    expect([first, second].map((w) => w.store.get().state.chats.get(id)!.entry.unread)).toEqual([0, 0]);
  });
});

test('a window that opens while the first is offline joins once it is back', async () => {
  const first = await open();
  server.up = false;
  server.cut();
  await pass(100);
  const second = await open();
  expect(phase(second)).not.toBe('online');
  server.up = true;
  await pass(60_000);
  server.post('other', 'here');
  await pass();
  expect([phase(first), phase(second)]).toEqual(['online', 'online']);
  expect(second.store.get().state.chats.get(id)!.entry.last_message?.body).toBe('here');
});

describe('the database of unsent messages', () => {
  const draft = (key: string, written_at: number): Draft => ({ key, chat_id: id, body: key, written_at });

  test('keeps them in the order written, apart for each user', async () => {
    uninstall();
    const mine = new OutboxDatabase('me');
    mine.save(draft('b', 2));
    mine.save(draft('a', 1));
    mine.save(draft('c', 3));
    mine.forget('c');
    new OutboxDatabase('other').save(draft('x', 1));
    expect((await new OutboxDatabase('me').load()).map((d) => d.key)).toEqual(['a', 'b']);
    await mine.clear();
    expect(await mine.load()).toEqual([]);
  });

  test('reopens when the browser closed it, and loses nothing', async () => {
    uninstall();
    const opened: IDBDatabase[] = [];
    const { open } = IDBFactory.prototype;
    IDBFactory.prototype.open = function (...args) {
      const request = open.apply(this, args);
      request.addEventListener('success', () => opened.push(request.result));
      return request;
    };
    const mine = new OutboxDatabase('closed');
    expect(await mine.load()).toEqual([]);
    opened[0]!.close();
    mine.save(draft('a', 1));
    expect((await mine.load()).map((d) => d.key)).toEqual(['a']);
    IDBFactory.prototype.open = open;
  });

  test('can be deleted while open, as when a browser clears site data', async () => {
    uninstall();
    const mine = new OutboxDatabase('cleared');
    await mine.load();
    await new Promise<void>((resolve, reject) => {
      const request = indexedDB.deleteDatabase('fechatter.outbox.cleared');
      request.onsuccess = () => resolve();
      request.onblocked = () => reject(new Error('blocked'));
    });
    mine.save(draft('a', 1));
    expect(await mine.load()).toHaveLength(1);
  });

  test('is empty if it does not open for a while', async () => {
    const { indexedDB } = globalThis;
    Object.defineProperty(globalThis, 'indexedDB', { configurable: true, value: { open: () => ({}) } });
    const clearing = new OutboxDatabase('hangs').clear().then(() => 'done');
    await pass(10_000);
    expect(await clearing).toBe('done');
    Object.defineProperty(globalThis, 'indexedDB', { configurable: true, value: indexedDB });
  });

  test('is empty if the browser refuses it', async () => {
    uninstall();
    const { indexedDB } = globalThis;
    Object.defineProperty(globalThis, 'indexedDB', { configurable: true, value: { open: () => { throw new Error('refused'); } } });
    const refused = new OutboxDatabase('nobody');
    refused.save(draft('a', 1));
    expect(await refused.load()).toEqual([]);
    Object.defineProperty(globalThis, 'indexedDB', { configurable: true, value: indexedDB });
  });
});
