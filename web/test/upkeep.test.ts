import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Client, Rest } from '../src/client';
import type { ChatEvent } from '../src/client/types';
import { FakeServer, install, pass, uninstall } from './fake';
import { id, user } from './looks';

/** The state stays complete and small for as long as a page is open. */

let server: FakeServer;
let client: Client;
let asked: string[];

beforeEach(async () => {
  server = new FakeServer();
  server.chat();
  asked = [];
  install(server);
  const fetcher = ((url: string, init: RequestInit) => {
    asked.push(url);
    return server.fetch(url, init);
  }) as typeof fetch;
  client = new Client({ user, socketUrl: 'ws://server/ws', rest: new Rest('', '', fetcher), random: () => 0.5 });
  client.start();
  await pass();
});

afterEach(() => {
  client.stop();
  uninstall();
});

const held = (chat = id) => client.store.get().state.chats.get(chat)!;
const lines = (chat = id) => held(chat).history?.lines.length;
const asks = (path: string) => asked.filter((url) => url.includes(path)).length;

async function say(count: number, chat = id): Promise<void> {
  for (let i = 0; i < count; i++) server.post('other', `message ${i}`, undefined, chat);
  await pass();
}

describe('memory', () => {
  test('a chat that was shown once does not grow with later messages', async () => {
    client.show(id);
    await pass();
    client.show(null);
    await say(1_000);
    expect(lines()).toBeLessThanOrEqual(200);
    expect(held().log.length).toBeLessThanOrEqual(200);
    expect(held().history!.lines.at(-1)!.message.seq).toBe(1_000);
  });

  test('the shown chat keeps what was loaded, and does not grow for ever', async () => {
    client.show(id);
    await pass();
    await say(300);
    expect(lines()).toBe(300);
    for (let i = 0; i < 60; i++) await say(100);
    expect(lines()).toBeLessThan(6_300);
    expect(held().history!.hasBefore).toBe(true);
  });

  test('only the last fifty chats shown keep lines; the others are read again', async () => {
    for (let i = 0; i < 60; i++) await say(1, `chat-${i}`);
    server.cut();
    await pass(2_000);
    for (let i = 0; i < 60; i++) {
      client.show(`chat-${i}`);
      await pass(20);
    }
    const { chats } = client.store.get().state;
    expect([...chats.values()].filter((chat) => chat.history)).toHaveLength(50);
    client.show('chat-0');
    await say(1, 'chat-0');
    expect(lines('chat-0')).toBe(2);
  });
});

describe('reads', () => {
  test('that failed temporarily are retried by themselves', async () => {
    await say(3);
    server.up = false;
    client.show(id);
    await pass(14_000);
    expect(held().history).toBeNull();
    server.up = true;
    await pass(40_000);
    expect(lines()).toBe(3);
  });

  test('that fail for good are not repeated by a listener that shows the same chat', async () => {
    const end = client.on('change', () => client.show(id));
    server.refuses = (path) => path.endsWith('/messages');
    client.show(id);
    await pass(5_000);
    end();
    expect(asks('/messages')).toBe(1);
  });

  test('a name that does not exist is asked for once', async () => {
    server.refuses = (path) => path.includes('/users');
    for (let i = 0; i < 3; i++) {
      client.directory.need(['gone']);
      await pass();
    }
    expect(asks('/users')).toBe(1);
  });
});

test('a listener that throws does not stop the others, and its error is uncaught', async () => {
  const heard: string[] = [];
  let throws = false;
  client.on('change', () => {
    if (throws) throw new Error('mine');
  });
  client.on('change', ({ connection }) => heard.push(connection.phase));
  throws = true;
  server.post('other', 'hello');
  await expect(pass()).rejects.toThrow('mine');
  expect(heard.length).toBeGreaterThan(1);
});

describe('a hole', () => {
  const seqs: number[] = [];

  beforeEach(async () => {
    seqs.length = 0;
    client.on('event', (event: ChatEvent) => seqs.push(event.seq));
    client.show(id);
    await pass();
  });

  const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

  test('of thousands is read in parts without pauses, and listeners get each event once', async () => {
    server.delivers = () => false;
    await say(3_000);
    server.delivers = () => true;
    await say(1);
    await pass(1_000);
    expect(held().cursor).toBe(3_001);
    expect(seqs).toEqual(upTo(3_001));
  });

  test('with more beyond it than is kept is read to the end', async () => {
    let release = () => {};
    server.hold = (path) => (path.endsWith('/events') ? new Promise((resolve) => (release = resolve)) : undefined);
    server.delivers = ({ seq }) => seq !== 1;
    await say(2);
    await say(500);
    server.hold = () => undefined;
    release();
    await pass(5_000);
    expect(held()).toMatchObject({ cursor: 502, ahead: [] });
    expect(seqs).toEqual(upTo(502));
  });

  test('whose answer comes after a reset reverts nothing', async () => {
    let release = () => {};
    server.delivers = ({ seq }) => seq !== 1 && seq !== 11;
    server.hold = (path) => (path.endsWith('/events') ? new Promise((resolve) => (release = resolve)) : undefined);
    await say(2);
    server.hold = () => undefined;
    for (let i = 0; i < 8; i++) server.post('other', `more ${i}`);
    await pass();
    server.tell({ op: 'reset', chat_id: id, seq: 10, d: { reason: 'too_far' } });
    await say(2);
    release();
    await pass(5_000);
    expect(held()).toMatchObject({ cursor: 12, ahead: [], stale: false });
    expect(seqs).toEqual([11, 12]);
    expect(lines()).toBe(12);
  });

  test('is not filled from another history', async () => {
    server.delivers = ({ seq }) => seq !== 1;
    server.epoch = 'e2';
    await say(2);
    await pass(500);
    expect(seqs).toEqual([]);
  });
});

describe('membership', () => {
  test('joined and left', async () => {
    server.chat('chat-2');
    const socket = [...server.sockets][0]!;
    socket.deliver({ op: 'chat.joined', d: { chat: server.chat('chat-2').entry(server.cursor('chat-2')) } });
    await pass();
    server.post('other', 'welcome', 'k', 'chat-2');
    await pass();
    expect(client.store.get().state.chats.get('chat-2')!.entry.unread).toBe(1);
    socket.deliver({ op: 'chat.left', d: { chat_id: 'chat-2', seq: 2 } });
    await pass();
    expect(client.store.get().state.chats.has('chat-2')).toBe(false);
  });
});
