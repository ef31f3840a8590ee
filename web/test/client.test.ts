import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Client } from '../src/client';
import type { OutboxStorage } from '../src/client';
import { Rest } from '../src/client/rest';
import type { ChatEvent, User } from '../src/client/types';
import { FakeServer, install, pass, uninstall } from './fake';

const user: User = { id: 'me', username: 'me', display_name: 'Me', created_at: '' };
const id = 'chat-1';

let server: FakeServer;
let client: Client;
let errors: unknown[];

function make(storage?: OutboxStorage): Client {
  const rest = new Rest('', '', server.fetch);
  return new Client({ user, socketUrl: 'ws://server/ws', rest, storage, random: () => 0.5, onError: (err) => errors.push(err) });
}

async function begin(): Promise<void> {
  client.start();
  await pass();
  client.show(id);
  await pass();
}

const held = () => client.store.get().state.chats.get(id)!;
const bodies = () => held().timeline!.lines.map(({ message }) => message.body);
const outbox = () => client.store.get().outbox.map((p) => `${p.body} ${p.status}`);
const phase = () => client.store.get().connection.phase;
const stored = () => [...server.chat().messages.values()].map((m) => m.body);
const sends = () => server.received.filter((c) => c['op'] === 'message.send');

beforeEach(() => {
  server = new FakeServer();
  server.chat();
  install(server);
  errors = [];
  client = make();
});

afterEach(() => {
  client.stop();
  uninstall();
  expect(errors).toEqual([]);
});

describe('connecting', () => {
  test('says hello, resumes, lists the chats and reads the shown one', async () => {
    server.post('other', 'hi');
    await begin();
    expect(phase()).toBe('online');
    expect(client.store.get().state).toMatchObject({ loaded: true, epoch: 'e1' });
    expect(bodies()).toEqual(['hi']);
  });

  test('live messages arrive', async () => {
    await begin();
    server.post('other', 'one');
    server.post('other', 'two');
    await pass();
    expect(bodies()).toEqual(['one', 'two']);
    expect(held().entry.unread).toBe(2);
  });

  test('reading tells the server and lowers the counts', async () => {
    await begin();
    server.post('other', 'one');
    await pass();
    const reading = client.read(id);
    await pass();
    await reading;
    expect(held().entry.unread).toBe(0);
    expect(server.readSeq.get(id)).toBe(1);
  });
});

describe('sending', () => {
  test('shows pending, then the message, once', async () => {
    await begin();
    client.send(id, 'hello');
    expect(outbox()).toEqual(['hello sending']);
    await pass();
    expect(outbox()).toEqual([]);
    expect(bodies()).toEqual(['hello']);
  });

  test('an ack without its event keeps the message on screen', async () => {
    await begin();
    server.delivers = () => false;
    client.send(id, 'hello');
    await pass();
    expect(outbox()).toEqual(['hello acked']);
    server.cut();
    await pass(2_000);
    expect(outbox()).toEqual([]);
    expect(bodies()).toEqual(['hello']);
  });

  test('outbox with lost ack: the event settles it', async () => {
    await begin();
    server.answers = (command) => command['op'] !== 'message.send';
    client.send(id, 'hello');
    await pass();
    expect(outbox()).toEqual([]);
    expect(bodies()).toEqual(['hello']);
  });

  test('outbox with lost ack and lost event: the same key goes out again and is stored once', async () => {
    await begin();
    server.answers = (command) => command['op'] !== 'message.send';
    server.delivers = () => false;
    client.send(id, 'hello');
    await pass();
    expect(stored()).toEqual(['hello']);
    server.answers = () => true;
    await pass(12_000);
    expect(sends()).toHaveLength(2);
    expect(new Set(sends().map((c) => c['d'].key)).size).toBe(1);
    expect(stored()).toEqual(['hello']);
  });

  test('keeps the order of a chat when the first is refused for a moment', async () => {
    await begin();
    let refusals = 2;
    server.before = ({ op }) => {
      if (op === 'message.send' && refusals-- > 0) FakeServer.refuse('rate_limited', 300);
    };
    for (const body of ['a', 'b', 'c']) client.send(id, body);
    await pass(10_000);
    expect(stored()).toEqual(['a', 'b', 'c']);
    expect(bodies()).toEqual(['a', 'b', 'c']);
    expect(outbox()).toEqual([]);
  });

  test('a refusal for good fails, and a retry by hand uses the same key', async () => {
    await begin();
    server.before = ({ op }) => void (op === 'message.send' && FakeServer.refuse('forbidden'));
    client.send(id, 'no');
    await pass();
    const [failed] = client.store.get().outbox;
    expect(failed).toMatchObject({ status: 'failed', reason: 'refused: forbidden' });
    server.before = () => {};
    client.retry(failed!.key);
    await pass();
    expect(new Set(sends().map((c) => c['d'].key))).toEqual(new Set([failed!.key]));
    expect(bodies()).toEqual(['no']);
  });

  test('what is written offline goes out once, in order, when the connection is back', async () => {
    await begin();
    server.up = false;
    server.cut();
    await pass();
    expect(phase()).toBe('offline');
    for (const body of ['a', 'b', 'c']) client.send(id, body);
    await pass(20_000);
    expect(outbox()).toEqual(['a queued', 'b queued', 'c queued']);
    server.up = true;
    await pass(30_000);
    expect(stored()).toEqual(['a', 'b', 'c']);
    expect(bodies()).toEqual(['a', 'b', 'c']);
    expect(outbox()).toEqual([]);
  });

  test('what was not sent outlives a reload', async () => {
    const kept = new Map<string, any>();
    const storage: OutboxStorage = {
      load: () => [...kept.values()],
      save: (draft) => kept.set(draft.key, draft),
      forget: (key) => kept.delete(key),
    };
    client = make(storage);
    server.up = false;
    client.start();
    client.send(id, 'later');
    await pass();
    client.stop();
    expect(kept.size).toBe(1);
    server.up = true;
    client = make(storage);
    await begin();
    expect(stored()).toEqual(['later']);
    expect(kept.size).toBe(0);
  });

  test('too large a frame is refused here, not by losing the connection', async () => {
    await begin();
    client.send(id, '\u0001'.repeat(16_000));
    await pass();
    expect(outbox()[0]).toMatch(/failed$/);
    expect(sends()).toEqual([]);
    expect(phase()).toBe('online');
  });
});

describe('reconnecting', () => {
  test('in the middle of sends loses nothing and doubles nothing', async () => {
    await begin();
    let n = 0;
    // Of every three sends the connection dies once before and once after the commit.
    server.before = ({ op }) => {
      if (op === 'message.send' && ++n % 3 === 1) {
        server.cut();
        FakeServer.refuse('unavailable');
      }
    };
    server.answers = ({ op }) => {
      if (op !== 'message.send' || n % 3 !== 2) return true;
      server.cut();
      return false;
    };
    const wanted = Array.from({ length: 12 }, (_, i) => `message ${i}`);
    for (const body of wanted) {
      client.send(id, body);
      await pass(30);
    }
    await pass(120_000);
    expect(stored()).toEqual(wanted);
    expect(bodies()).toEqual(wanted);
    expect(outbox()).toEqual([]);
  });

  test('gets what was missed, in order, once', async () => {
    await begin();
    server.post('other', 'before');
    await pass();
    server.cut();
    for (let i = 0; i < 5; i++) server.post('other', `missed ${i}`);
    await pass(5_000);
    server.post('other', 'after');
    await pass();
    expect(bodies()).toEqual(['before', 'missed 0', 'missed 1', 'missed 2', 'missed 3', 'missed 4', 'after']);
  });

  test('too far behind reads the history again', async () => {
    server.resumeWindow = 3;
    await begin();
    server.post('other', 'before');
    await pass();
    server.cut();
    for (let i = 0; i < 9; i++) server.post('other', `missed ${i}`);
    await pass(5_000);
    expect(bodies()).toHaveLength(10);
    expect(held()).toMatchObject({ stale: false, cursor: 10 });
  });

  test('in another epoch throws away what is held', async () => {
    await begin();
    server.post('other', 'lost by the restore');
    await pass();
    server.cut();
    server.chats.clear();
    server.epoch = 'e2';
    server.post('other', 'what the backup held');
    await pass(5_000);
    expect(bodies()).toEqual(['what the backup held']);
    expect(client.store.get().state.epoch).toBe('e2');
  });

  test('a reset for a new epoch in the middle of a connection resumes anew', async () => {
    await begin();
    server.post('other', 'old');
    await pass();
    server.chats.clear();
    server.epoch = 'e2';
    server.post('other', 'new', 'k', id);
    for (const socket of server.sockets) socket.deliver({ op: 'reset', chat_id: id, seq: 1, d: { reason: 'epoch' } });
    await pass(5_000);
    expect(bodies()).toEqual(['new']);
  });

  test('notices a dead connection by itself', async () => {
    await begin();
    server.cut('silence');
    server.post('other', 'into the void');
    await pass(24_000);
    expect(phase()).toBe('online');
    await pass(40_000);
    expect(phase()).toBe('online');
    expect(bodies()).toEqual(['into the void']);
  });

  test('notices it at once when the network tells of a change', async () => {
    await begin();
    server.cut('silence');
    client.probe();
    await pass(5_100);
    expect(phase()).not.toBe('online');
  });

  test.each([4500, 4501, 4503])('close code %i ends with a login', async (code) => {
    await begin();
    server.cut(code);
    await pass(60_000);
    expect(client.store.get().connection).toMatchObject({ phase: 'ended', login: true });
    expect(server.sockets.size).toBe(0);
  });

  test.each([1007, 1008, 1009, 4502, 4504])('close code %i stays away', async (code) => {
    await begin();
    server.cut(code);
    await pass(60_000);
    expect(client.store.get().connection).toMatchObject({ phase: 'ended', login: false });
    expect(server.sockets.size).toBe(0);
  });

  test.each([1001, 1012, 1013, 4000, 4002, 4005])('close code %i comes back', async (code) => {
    await begin();
    server.cut(code);
    await pass(5_000);
    expect(phase()).toBe('online');
  });

  test('waits longer after each failure, and says until when', async () => {
    await begin();
    server.up = false;
    server.cut();
    const delays: number[] = [];
    let last = 0;
    const end = client.store.subscribe(({ connection: c }) => {
      if (c.phase !== 'offline' || c.retryAt === last) return;
      last = c.retryAt;
      delays.push(c.retryAt - Date.now());
    });
    await pass(30_000);
    end();
    expect(delays.slice(0, 6)).toEqual([250, 500, 1000, 2000, 4000, 7500]);
  });

  test('a drain lets answers come in, then reconnects at its time', async () => {
    await begin();
    const [before] = server.sockets;
    before!.deliver({ op: 'drain', d: { retry_after_ms: 500, deadline_ms: 5_000 } });
    await pass(400);
    client.send(id, 'on the way');
    await pass(50);
    expect(server.sockets.has(before!)).toBe(true);
    await pass(500);
    expect(server.sockets.has(before!)).toBe(false);
    expect(phase()).toBe('online');
    expect(bodies()).toEqual(['on the way']);
  });

  test('after stop there are no timers, sockets or changes', async () => {
    await begin();
    client.send(id, 'x');
    client.stop();
    const last = client.store.get();
    await pass(120_000);
    expect(server.sockets.size).toBe(0);
    expect(client.store.get().state).toBe(last.state);
  });
});

describe('history', () => {
  test('late answer against live events', async () => {
    server.post('other', 'one');
    client.start();
    await pass();
    let release = () => {};
    server.hold = (path) => (path.endsWith('/messages') ? new Promise((resolve) => (release = resolve)) : undefined);
    client.show(id);
    await pass();
    server.post('other', 'two');
    server.change('message.edited', 'other', { message_id: `${id}-m1`, message_seq: 1, body: 'one!', mentions: [], version: 2, edited_at: '' });
    await pass();
    expect(held().timeline).toBeNull();
    release();
    await pass();
    expect(bodies()).toEqual(['one!', 'two']);
  });

  test('a hole is read and filled', async () => {
    await begin();
    server.delivers = (event: ChatEvent) => event.seq !== 2;
    for (const body of ['one', 'two', 'three']) server.post('other', body);
    await pass(2_000);
    expect(bodies()).toEqual(['one', 'two', 'three']);
    expect(held().entry.unread).toBe(3);
  });

  test('is read page by page', async () => {
    for (let i = 0; i < 120; i++) server.post('other', `message ${i}`);
    await begin();
    expect(bodies()).toHaveLength(50);
    for (const length of [100, 120]) {
      void client.older(id);
      void client.older(id);
      await pass();
      expect(bodies()).toHaveLength(length);
    }
    expect(held().timeline!.hasBefore).toBe(false);
    expect(bodies()[0]).toBe('message 0');
  });
});

describe('membership', () => {
  test('joined and left', async () => {
    await begin();
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
