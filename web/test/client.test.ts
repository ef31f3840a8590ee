import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Client, OutboxStorage } from '../src/client';
import type { ChatEvent } from '../src/client/types';
import { FakeServer, install, pass, uninstall } from './fake';
import { bodies, clientOf, commands, id, outbox, phase, stored } from './looks';

let server: FakeServer;
let client: Client;
let errors: unknown[];

function make(storage?: OutboxStorage): Client {
  return clientOf(server, { storage, onError: (err) => errors.push(err) });
}

async function begin(): Promise<void> {
  client.start();
  await pass();
  client.show(id);
  await pass();
}

const held = () => client.store.get().state.chats.get(id)!;

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
    expect(phase(client)).toBe('online');
    expect(client.store.get().state).toMatchObject({ loaded: true, epoch: 'e1' });
    expect(bodies(client)).toEqual(['hi']);
  });

  test('delivers live messages', async () => {
    await begin();
    server.post('other', 'one');
    server.post('other', 'two');
    await pass();
    expect(bodies(client)).toEqual(['one', 'two']);
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
    expect(outbox(client)).toEqual(['hello sending']);
    await pass();
    expect(outbox(client)).toEqual([]);
    expect(bodies(client)).toEqual(['hello']);
  });

  test('an ack without its event keeps the message on screen', async () => {
    await begin();
    server.delivers = () => false;
    client.send(id, 'hello');
    await pass();
    expect(outbox(client)).toEqual(['hello acked']);
    server.cut();
    await pass(2_000);
    expect(outbox(client)).toEqual([]);
    expect(bodies(client)).toEqual(['hello']);
  });

  test('the event settles a send whose ack was lost', async () => {
    await begin();
    server.answers = (command) => command['op'] !== 'message.send';
    client.send(id, 'hello');
    await pass();
    expect(outbox(client)).toEqual([]);
    expect(bodies(client)).toEqual(['hello']);
  });

  test('with ack and event lost, the same key goes out again and is stored once', async () => {
    await begin();
    server.answers = (command) => command['op'] !== 'message.send';
    server.delivers = () => false;
    client.send(id, 'hello');
    await pass();
    expect(stored(server)).toEqual(['hello']);
    server.answers = () => true;
    await pass(12_000);
    expect(commands(server, 'message.send')).toHaveLength(2);
    expect(new Set(commands(server, 'message.send').map((c) => c['d'].key)).size).toBe(1);
    expect(stored(server)).toEqual(['hello']);
  });

  test('keeps the order of a chat when the first send is refused for a moment', async () => {
    await begin();
    let refusals = 2;
    server.before = ({ op }) => {
      if (op === 'message.send' && refusals-- > 0) FakeServer.refuse('rate_limited', 300);
    };
    for (const body of ['a', 'b', 'c']) client.send(id, body);
    await pass(10_000);
    expect(stored(server)).toEqual(['a', 'b', 'c']);
    expect(bodies(client)).toEqual(['a', 'b', 'c']);
    expect(outbox(client)).toEqual([]);
  });

  test('a final refusal fails, and a manual retry uses the same key', async () => {
    await begin();
    server.before = ({ op }) => void (op === 'message.send' && FakeServer.refuse('forbidden'));
    client.send(id, 'no');
    await pass();
    const [failed] = client.store.get().outbox;
    expect(failed).toMatchObject({ status: 'failed', reason: 'refused: forbidden' });
    server.before = () => {};
    client.retry(failed!.key);
    await pass();
    expect(new Set(commands(server, 'message.send').map((c) => c['d'].key))).toEqual(new Set([failed!.key]));
    expect(bodies(client)).toEqual(['no']);
  });

  test('messages written offline go out once, in order, when the connection returns', async () => {
    await begin();
    server.up = false;
    server.cut();
    await pass();
    expect(phase(client)).toBe('offline');
    for (const body of ['a', 'b', 'c']) client.send(id, body);
    await pass(20_000);
    expect(outbox(client)).toEqual(['a queued', 'b queued', 'c queued']);
    server.up = true;
    await pass(30_000);
    expect(stored(server)).toEqual(['a', 'b', 'c']);
    expect(bodies(client)).toEqual(['a', 'b', 'c']);
    expect(outbox(client)).toEqual([]);
  });

  test('unsent messages survive a reload', async () => {
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
    expect(stored(server)).toEqual(['later']);
    expect(kept.size).toBe(0);
  });

  test('a frame that is too large is refused here, without losing the connection', async () => {
    await begin();
    client.send(id, '\u0001'.repeat(16_000));
    await pass();
    expect(outbox(client)[0]).toMatch(/failed$/);
    expect(commands(server, 'message.send')).toEqual([]);
    expect(phase(client)).toBe('online');
  });
});

describe('reconnecting', () => {
  test('in the middle of sends loses and doubles nothing', async () => {
    await begin();
    let n = 0;
    // In every three sends, the connection dies once before and once after the commit.
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
    expect(stored(server)).toEqual(wanted);
    expect(bodies(client)).toEqual(wanted);
    expect(outbox(client)).toEqual([]);
  });

  test('gets missed messages, in order, once', async () => {
    await begin();
    server.post('other', 'before');
    await pass();
    server.cut();
    for (let i = 0; i < 5; i++) server.post('other', `missed ${i}`);
    await pass(5_000);
    server.post('other', 'after');
    await pass();
    expect(bodies(client)).toEqual(['before', 'missed 0', 'missed 1', 'missed 2', 'missed 3', 'missed 4', 'after']);
  });

  test('too far behind reads the history again', async () => {
    server.resumeWindow = 3;
    await begin();
    server.post('other', 'before');
    await pass();
    server.cut();
    for (let i = 0; i < 9; i++) server.post('other', `missed ${i}`);
    await pass(5_000);
    expect(bodies(client)).toHaveLength(10);
    expect(held()).toMatchObject({ stale: false, cursor: 10 });
  });

  test('in another epoch discards what is held', async () => {
    await begin();
    server.post('other', 'lost by the restore');
    await pass();
    server.cut();
    server.chats.clear();
    server.epoch = 'e2';
    server.post('other', 'what the backup held');
    await pass(5_000);
    expect(bodies(client)).toEqual(['what the backup held']);
    expect(client.store.get().state.epoch).toBe('e2');
  });

  test('a reset for a new epoch during a connection resumes again', async () => {
    await begin();
    server.post('other', 'old');
    await pass();
    server.chats.clear();
    server.epoch = 'e2';
    server.post('other', 'new', 'k', id);
    for (const socket of server.sockets) socket.deliver({ op: 'reset', chat_id: id, seq: 1, d: { reason: 'epoch' } });
    await pass(5_000);
    expect(bodies(client)).toEqual(['new']);
  });

  test('notices a dead connection by itself', async () => {
    await begin();
    server.cut('silence');
    server.post('other', 'into the void');
    await pass(24_000);
    expect(phase(client)).toBe('online');
    await pass(40_000);
    expect(phase(client)).toBe('online');
    expect(bodies(client)).toEqual(['into the void']);
  });

  test('notices it at once when the network reports a change', async () => {
    await begin();
    server.cut('silence');
    client.probe();
    await pass(5_100);
    expect(phase(client)).not.toBe('online');
  });

  test.each([4500, 4501, 4503])('close code %i ends with a login', async (code) => {
    await begin();
    server.cut(code);
    await pass(60_000);
    expect(client.store.get().connection).toMatchObject({ phase: 'ended', login: true });
    expect(server.sockets.size).toBe(0);
  });

  test.each([1007, 1008, 1009, 4502, 4504])('close code %i stops', async (code) => {
    await begin();
    server.cut(code);
    await pass(60_000);
    expect(client.store.get().connection).toMatchObject({ phase: 'ended', login: false });
    expect(server.sockets.size).toBe(0);
  });

  test.each([1001, 1012, 1013, 4000, 4002, 4005])('close code %i reconnects', async (code) => {
    await begin();
    server.cut(code);
    await pass(5_000);
    expect(phase(client)).toBe('online');
  });

  test('waits longer after each failure, and shows until when', async () => {
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

  test('a drain waits for answers, then reconnects at the given time', async () => {
    await begin();
    const [before] = server.sockets;
    before!.deliver({ op: 'drain', d: { retry_after_ms: 500, deadline_ms: 5_000 } });
    await pass(400);
    client.send(id, 'on the way');
    await pass(50);
    expect(server.sockets.has(before!)).toBe(true);
    await pass(500);
    expect(server.sockets.has(before!)).toBe(false);
    expect(phase(client)).toBe('online');
    expect(bodies(client)).toEqual(['on the way']);
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
  test('merges a late answer with live events', async () => {
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
    expect(held().history).toBeNull();
    release();
    await pass();
    expect(bodies(client)).toEqual(['one!', 'two']);
  });

  test('fills a hole with a read', async () => {
    await begin();
    server.delivers = (event: ChatEvent) => event.seq !== 2;
    for (const body of ['one', 'two', 'three']) server.post('other', body);
    await pass(2_000);
    expect(bodies(client)).toEqual(['one', 'two', 'three']);
    expect(held().entry.unread).toBe(3);
  });

  test('is read page by page', async () => {
    for (let i = 0; i < 120; i++) server.post('other', `message ${i}`);
    await begin();
    expect(bodies(client)).toHaveLength(50);
    for (const length of [100, 120]) {
      void client.older(id);
      void client.older(id);
      await pass();
      expect(bodies(client)).toHaveLength(length);
    }
    expect(held().history!.hasBefore).toBe(false);
    expect(bodies(client)[0]).toBe('message 0');
  });
});
