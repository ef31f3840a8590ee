import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Client, Draft, OutboxStorage } from '../src/client';
import { FakeServer, install, pass, uninstall } from './fake';
import { clientOf, id } from './looks';

/** A device's clock is set forward or back: nothing waits for it, and no order depends on it. */

const hour = 3_600_000;
let server: FakeServer;
let client: Client;
let kept: Map<string, Draft>;

/** In the order of the keys, like IndexedDB. */
const storage: OutboxStorage = {
  load: () => [...kept.values()].sort((a, b) => (a.key < b.key ? -1 : 1)),
  save: (draft) => kept.set(draft.key, draft),
  forget: (key) => kept.delete(key),
};

async function begin(): Promise<void> {
  client = clientOf(server, { storage });
  client.start();
  await pass();
}

const stored = () => [...server.chat().messages.values()].map((m) => m.body);

beforeEach(() => {
  server = new FakeServer();
  server.chat();
  install(server);
  kept = new Map();
});

afterEach(() => {
  client.stop();
  uninstall();
});

test('messages written within one millisecond go out in order after a reload', async () => {
  server.up = false;
  await begin();
  const bodies = Array.from({ length: 12 }, (_, i) => `message ${i}`);
  for (const body of bodies) client.send(id, body);
  client.stop();
  server.up = true;
  await begin();
  await pass(1_000);
  expect(stored()).toEqual(bodies);
});

test('messages written before and after the clock was set back go out in order after a reload', async () => {
  server.up = false;
  await begin();
  client.send(id, 'before');
  vi.setSystemTime(Date.now() - hour);
  client.send(id, 'after');
  client.stop();
  server.up = true;
  await begin();
  await pass(1_000);
  expect(stored()).toEqual(['before', 'after']);
});

test('a retry does not wait for a clock that was set back', async () => {
  await begin();
  let refusals = 1;
  server.before = ({ op }) => void (op === 'message.send' && refusals-- > 0 && FakeServer.refuse('overloaded', 500));
  client.send(id, 'hello');
  await pass(10);
  vi.setSystemTime(Date.now() - hour);
  await pass(2_000);
  expect(stored()).toEqual(['hello']);
});

test('activity is reported after the clock was set back', async () => {
  await begin();
  client.presences.active();
  await pass(40_000);
  vi.setSystemTime(Date.now() - hour);
  client.presences.active();
  await pass();
  expect(server.received.filter(({ op }) => op === 'activity')).toHaveLength(2);
});
