import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Client, Rest, type Draft, type OutboxStorage } from '../src/client';
import { shareWindows } from '../src/client/shared';
import type { User } from '../src/client/types';
import { FakeServer, install, pass, uninstall } from './fake';
import { installWindows, type Browser } from './windows';

/** What happens between windows when the one that leads ends, freezes, or may not lead. */

const user: User = { id: 'me', username: 'me', display_name: 'Me', created_at: '' };
const id = 'chat-1';
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
  const rest = new Rest('', '', server.fetch);
  const client = new Client({ user, socketUrl: 'ws://server/ws', rest, ...(storage && { storage }), share: shareWindows(), random: () => 0.5 });
  windows.push(client);
  client.start();
  await pass();
  client.show(id);
  await pass();
  return client;
}

const bodies = (client: Client) => client.store.get().state.chats.get(id)!.timeline!.lines.map(({ message }) => message.body);
const outbox = (client: Client) => client.store.get().outbox.map((p) => `${p.body} ${p.status}`);
const phase = (client: Client) => client.store.get().connection.phase;
const stored = () => [...server.chat().messages.values()].map((m) => m.body);
const commands = (op: string) => server.received.filter((c) => c['op'] === op);

describe('a window that leads and is frozen', () => {
  test('is not waited for by one that opens: it leads, and the other follows when it wakes up', async () => {
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
    expect(stored()).toEqual(['from the second', 'for both', 'from the first']);
    expect([bodies(first), bodies(second)]).toEqual([stored(), stored()]);
    expect([outbox(first), outbox(second), server.sockets.size]).toEqual([[], [], 1]);
  });

  test('is noticed by the others when they are looked at', async () => {
    const [first, second] = [await open(), await open()];
    const third = await open();
    browser.freeze();
    // The windows that are looked at run.
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

  test('and still believes that it leads is not listened to', async () => {
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

  test('and wrote what it could not send: it goes out once when it wakes up', async () => {
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
    expect(stored()).toEqual(['under way', 'behind it']);
    expect([bodies(first), bodies(second), outbox(first), outbox(second)]).toEqual([stored(), stored(), [], []]);
  });
});

describe('a takeover', () => {
  test('does not lose what another window wrote while nobody led, though nothing keeps it', async () => {
    const [first, second, third] = [await open(), await open(), await open()];
    first.stop();
    third.send(id, 'to nobody');
    await pass(2_000);
    expect(stored()).toEqual(['to nobody']);
    expect([bodies(second), bodies(third), outbox(second), outbox(third)]).toEqual([stored(), stored(), [], []]);
  });

  test('does not begin before what was kept is known', async () => {
    const slow: OutboxStorage = {
      load: () => new Promise((resolve) => setTimeout(() => resolve([{ key: 'k', chat_id: id, body: 'kept', written_at: 1 }]), 2_000)),
      save: () => {},
      forget: () => {},
    };
    const only = await open(slow);
    only.send(id, 'new');
    await pass(1_000);
    expect(stored()).toEqual([]);
    await pass(2_000);
    expect(stored()).toEqual(['kept', 'new']);
  });

  test('does not wait for ever for a storage that says nothing', async () => {
    const only = await open({ load: () => new Promise(() => {}), save: () => {}, forget: () => {} });
    only.send(id, 'new');
    await pass(6_000);
    expect(stored()).toEqual(['new']);
  });

  test('leaves what the server refused for a person to decide, in a new window too', async () => {
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
    expect([stored(), outbox(second), kept.size]).toEqual([['no'], [], 0]);
  });
});

test('a browser that refuses locks leaves every window its own connection', async () => {
  browser.refuses = true;
  const [first, second] = [await open(), await open()];
  expect([phase(first), phase(second), server.sockets.size]).toEqual(['online', 'online', 2]);
});

test('several windows of another history reconnect once', async () => {
  const all = [await open(), await open(), await open()];
  const before = commands('resume').length;
  server.chats.clear();
  server.epoch = 'e2';
  server.post('other', 'restored');
  server.tell({ op: 'reset', chat_id: id, seq: 1, d: { reason: 'epoch' } });
  await pass(10_000);
  expect(commands('resume').length - before).toBe(1);
  expect(all.map(bodies)).toEqual([['restored'], ['restored'], ['restored']]);
});

test('several windows acknowledge what came once', async () => {
  await open();
  await open();
  server.post('other', 'hello');
  await pass(3_000);
  expect(commands('cursor.set')).toHaveLength(1);
});

test('pages that speak otherwise do not hear one another', async () => {
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
