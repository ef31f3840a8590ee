import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Client, Draft, OutboxStorage } from '../src/client';
import { shareWindows } from '../src/client/shared';
import { FakeServer, install, pass, uninstall } from './fake';
import { bodies, clientOf, commands, id, outbox, phase, stored } from './looks';
import { installWindows, type Browser } from './windows';

/** What happens between windows when the leader closes, freezes, or is not allowed to lead. */

let server: FakeServer;
let browser: Browser;
let windows: Client[];

beforeEach(() => {
  server = new FakeServer();
  server.chat();
  install(server);
  browser = installWindows();
  windows = [];
});

afterEach(() => {
  for (const window of windows) window.stop();
  uninstall();
});

async function open(storage?: OutboxStorage): Promise<Client> {
  const client = clientOf(server, { ...(storage && { storage }), share: shareWindows() });
  windows.push(client);
  client.start();
  await pass();
  client.show(id);
  await pass();
  return client;
}

describe('a window that leads and is frozen', () => {
  test('does not hold up one that opens: that one leads, and the frozen one follows when it wakes up', async () => {
    const first = await open();
    browser.freeze();
    server.cut('silence');
    const second = await open();
    await pass(6_000);
    expect(phase(second)).toBe('online');
    second.send(id, 'from the second');
    await pass();
    browser.thaw();
    await pass(1_000);
    server.post('other', 'for both');
    first.send(id, 'from the first');
    await pass(1_000);
    expect(stored(server)).toEqual(['from the second', 'for both', 'from the first']);
    expect([bodies(first), bodies(second)]).toEqual([stored(server), stored(server)]);
    expect([outbox(first), outbox(second), server.sockets.size]).toEqual([[], [], 1]);
  });

  test('is noticed by the others when someone looks at them', async () => {
    const [first, second] = [await open(), await open()];
    const third = await open();
    browser.freeze();
    // Visible windows run.
    browser.wake(2);
    server.cut('silence');
    second.probe();
    await pass(7_000);
    server.post('other', 'hello');
    await pass();
    expect([bodies(second), bodies(third)]).toEqual([['hello'], ['hello']]);
    browser.thaw();
    await pass(1_000);
    expect([phase(first), bodies(first), server.sockets.size]).toEqual(['online', ['hello'], 1]);
  });

  test('and still believes that it leads is ignored', async () => {
    await open();
    browser.freeze();
    server.cut('silence');
    const second = await open();
    const third = await open();
    await pass(7_000);
    const channel = new BroadcastChannel('fechatter.me.1');
    channel.postMessage({ is: 'connection', connection: { phase: 'ended' }, by: 'the frozen one' });
    channel.postMessage({ is: 'outbox', items: [{ key: 'k', body: 'long gone', status: 'sending' }], by: 'the frozen one' });
    await pass();
    expect([second, third].flatMap((window) => [phase(window), outbox(window)])).toEqual(['online', [], 'online', []]);
  });

  test('sends what it wrote once, when it wakes up', async () => {
    const first = await open();
    server.answers = ({ op }) => op !== 'message.send';
    server.before = ({ op }) => void (op === 'message.send' && server.cut('silence'));
    first.send(id, 'under way');
    first.send(id, 'behind it');
    await pass();
    server.before = () => {};
    server.answers = () => true;
    browser.freeze();
    const second = await open();
    await pass(6_000);
    browser.thaw();
    await pass(2_000);
    expect(stored(server)).toEqual(['under way', 'behind it']);
    expect([bodies(first), bodies(second), outbox(first), outbox(second)]).toEqual([stored(server), stored(server), [], []]);
  });
});

describe('a takeover', () => {
  test('does not lose what another window wrote while nobody led, even without a storage', async () => {
    const [first, second, third] = [await open(), await open(), await open()];
    first.stop();
    third.send(id, 'to nobody');
    await pass(2_000);
    expect(stored(server)).toEqual(['to nobody']);
    expect([bodies(second), bodies(third), outbox(second), outbox(third)]).toEqual([stored(server), stored(server), [], []]);
  });

  test('does not begin before kept drafts are loaded', async () => {
    const slow: OutboxStorage = {
      load: () => new Promise((resolve) => setTimeout(() => resolve([{ key: 'k', chat_id: id, body: 'kept', written_at: 1 }]), 2_000)),
      save: () => {},
      forget: () => {},
    };
    const only = await open(slow);
    only.send(id, 'new');
    await pass(1_000);
    expect(stored(server)).toEqual([]);
    await pass(2_000);
    expect(stored(server)).toEqual(['kept', 'new']);
  });

  test('does not wait for ever for a storage that does not answer', async () => {
    const only = await open({ load: () => new Promise(() => {}), save: () => {}, forget: () => {} });
    only.send(id, 'new');
    await pass(6_000);
    expect(stored(server)).toEqual(['new']);
  });

  test('leaves what the server refused for the user to decide, in a new window too', async () => {
    const kept = new Map<string, Draft>();
    const storage: OutboxStorage = { load: () => [...kept.values()], save: (draft) => kept.set(draft.key, draft), forget: (key) => kept.delete(key) };
    const first = await open(storage);
    server.before = ({ op }) => void (op === 'message.send' && FakeServer.refuse('forbidden'));
    first.send(id, 'no');
    await pass();
    first.stop();
    server.before = () => {};
    const second = await open(storage);
    expect([outbox(second), second.store.get().outbox[0]!.reason]).toEqual([['no failed'], 'refused: forbidden']);
    second.retry(second.store.get().outbox[0]!.key);
    await pass();
    expect([stored(server), outbox(second), kept.size]).toEqual([['no'], [], 0]);
  });
});

test('a browser that refuses locks leaves every window its own connection', async () => {
  browser.refuses = true;
  const [first, second] = [await open(), await open()];
  expect([phase(first), phase(second), server.sockets.size]).toEqual(['online', 'online', 2]);
});

test('several windows of another epoch reconnect once', async () => {
  const all = [await open(), await open(), await open()];
  const before = commands(server, 'resume').length;
  server.chats.clear();
  server.epoch = 'e2';
  server.post('other', 'restored');
  server.tell({ op: 'reset', chat_id: id, seq: 1, d: { reason: 'epoch' } });
  await pass(10_000);
  expect(commands(server, 'resume').length - before).toBe(1);
  expect(all.map(bodies)).toEqual([['restored'], ['restored'], ['restored']]);
});

test('several windows acknowledge a delivery once', async () => {
  await open();
  await open();
  server.post('other', 'hello');
  await pass(3_000);
  expect(commands(server, 'cursor.set')).toHaveLength(1);
});

test('pages with different versions of the notes do not hear each other', async () => {
  const only = await open();
  const channel = new BroadcastChannel('fechatter.me');
  channel.postMessage({ is: 'connection', connection: { phase: 'ended' } });
  await pass();
  expect(phase(only)).toBe('online');
});

test('a window that follows leaves no timer behind', async () => {
  const [first, second] = [await open(), await open()];
  second.typed(id, 'x');
  void second.read(id).catch(() => {});
  second.probe();
  second.stop();
  first.stop();
  await pass(10);
  expect(vi.getTimerCount()).toBe(0);
});
