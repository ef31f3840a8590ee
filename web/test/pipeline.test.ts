import { afterEach, beforeEach, expect, test } from 'vitest';
import '../src/client/eventstream';
import type { Client } from '../src/client';
import { FakeServer, install, pass, uninstall } from './fake';
import { bodies, clientOf, commands, id, outbox, stored } from './looks';

/** Several sends of one client under way at once. */

let server: FakeServer;
let client: Client;

const letters = 'abcdefghijklmnopqrstuvwxyz'.split('');
const sends = () => commands(server, 'message.send').map((c) => c['d'].body as string);

/** A client whose sends were answered often enough for as many as may to be under way. */
async function busy(): Promise<void> {
  client.start();
  await pass();
  client.show(id);
  for (let i = 0; i < 10; i++) {
    client.send(id, `before ${i}`);
    await pass(500);
  }
  server.received.length = 0;
}

const others = (texts: string[]) => texts.filter((text) => !text.startsWith('before'));

beforeEach(() => {
  server = new FakeServer();
  server.chat();
  install(server);
  client = clientOf(server);
});

afterEach(() => {
  client.stop();
  uninstall();
});

test('several are under way, in the order written, and more with each ack', async () => {
  client.start();
  await pass();
  server.answers = ({ op }) => op !== 'message.send';
  server.delivers = () => false;
  for (const body of ['a', 'b']) client.send(id, body);
  await pass();
  expect(sends()).toEqual(['a']);
  server.cut();
  server.answers = () => true;
  server.delivers = () => true;
  await pass(5_000);
  await busy();
  server.answers = ({ op }) => op !== 'message.send';
  for (const body of letters.slice(0, 9)) client.send(id, body);
  await pass();
  expect(sends()).toEqual(letters.slice(0, 9));
});

test('more than the server takes at once', async () => {
  await busy();
  let tokens = 12;
  const refill = setInterval(() => tokens++, 100);
  server.before = ({ op }) => {
    if (op !== 'message.send') return;
    if (tokens < 1) FakeServer.refuse('rate_limited', 100);
    tokens--;
  };
  for (const body of letters) client.send(id, body);
  await pass();
  expect(sends().slice(0, 10)).toEqual(letters.slice(0, 10));
  await pass(60_000);
  clearInterval(refill);
  expect(others(stored(server))).toEqual(letters);
  expect(outbox(client)).toEqual([]);
  expect(sends().length).toBeLessThan(3 * letters.length);
});

test('one refused between two that are stored', async () => {
  await busy();
  server.before = ({ op, d }) => void (op === 'message.send' && d.body === 'b' && FakeServer.refuse('too_large'));
  for (const body of ['a', 'b', 'c']) client.send(id, body);
  await pass();
  expect(sends()).toEqual(['a', 'b', 'c']);
  expect(others(stored(server))).toEqual(['a', 'c']);
  expect(outbox(client)).toEqual(['b failed']);
});

test.each([0, 1, 4, 7])('the connection is lost with many under way, %i of them stored', async (kept) => {
  await busy();
  const written = letters.slice(0, 7);
  let left = kept;
  server.before = ({ op }) => {
    if (op !== 'message.send' || left-- > 0) return;
    server.before = () => {};
    server.cut();
    FakeServer.refuse('unavailable'); // which nobody hears
  };
  server.answers = ({ op }) => op !== 'message.send';
  server.delivers = () => false;
  for (const body of written) client.send(id, body);
  await pass(0);
  expect(sends()).toEqual(written.slice(0, kept + 1));
  if (kept === written.length) server.cut();
  // Stored ones come with the resume; of the others the first goes out again, to see what becomes of it.
  await pass(3_000);
  expect(sends().slice(Math.min(kept + 1, 7))).toEqual(written.slice(kept, kept + 1));
  server.answers = () => true;
  server.delivers = () => true;
  await pass(30_000);
  expect(others(stored(server))).toEqual(written);
  expect(others(bodies(client))).toEqual(written);
  expect(outbox(client)).toEqual([]);
  const keys = new Set(commands(server, 'message.send').map((c) => c['d'].key));
  expect(keys.size).toBe(written.length);
});

test('an edit right behind its send', async () => {
  await busy();
  let late: (() => void) | undefined;
  server.answers = ({ op, d }) => !(op === 'message.send' && d.body === 'b') || ((late = () => {}), false);
  for (const body of ['a', 'b']) client.send(id, body);
  await pass(1);
  const message = client.store.get().state.chats.get(id)!.history!.lines.map((line) => line.message).find((m) => m.body === 'a')!;
  const edited = client.edit(message.id, 'a, edited', message.version);
  client.send(id, 'c');
  await pass();
  await edited;
  expect(late).toBeDefined();
  expect(commands(server, 'message.edit')).toHaveLength(1);
  expect(others(bodies(client))).toEqual(['a, edited', 'b', 'c']);
  expect(outbox(client)).toEqual([]);
});

test('a limit reached in the middle keeps the order, and its time is waited for', async () => {
  await busy();
  let until = 0;
  let reached = 0;
  const times: number[] = [];
  server.before = ({ op, d }) => {
    if (op !== 'message.send') return;
    if (d.body === 'c' && reached++ === 0) until = Date.now() + 700;
    if (Date.now() < until) FakeServer.refuse('rate_limited', until - Date.now());
    if (d.body === 'c') times.push(Date.now());
  };
  const written = letters.slice(0, 6);
  for (const body of written) client.send(id, body);
  await pass();
  expect(others(stored(server))).toEqual(['a', 'b']);
  expect(sends()).toEqual(written);
  await pass(20_000);
  expect(others(stored(server))).toEqual(written);
  expect(outbox(client)).toEqual([]);
  expect(times[0]).toBeGreaterThanOrEqual(until);
  // After the refusal one goes out at a time: had it come again, nothing could have overtaken it.
  expect(sends().slice(6)).toEqual(['c', 'd', 'e', 'f']);
});

test('what was refused for a moment, and overtaken, is left to the user', async () => {
  await busy();
  let refusals = 1;
  server.before = ({ op, d }) => void (op === 'message.send' && d.body === 'b' && refusals-- > 0 && FakeServer.refuse('overloaded', 100));
  for (const body of ['a', 'b', 'c']) client.send(id, body);
  await pass(20_000);
  expect(others(stored(server))).toEqual(['a', 'c']);
  expect(outbox(client)).toEqual(['b failed']);
  client.retry(client.store.get().outbox[0]!.key);
  await pass();
  expect(others(stored(server))).toEqual(['a', 'c', 'b']);
  expect(outbox(client)).toEqual([]);
});

test('beside an event stream, where requests may overtake each other, one at a time', async () => {
  server.websockets = false;
  client.start();
  await pass(60_000);
  client.show(id);
  server.hold = () => new Promise((resolve) => setTimeout(resolve, 1_000));
  server.delivers = () => false;
  for (const body of ['a', 'b', 'c']) client.send(id, body);
  await pass(500);
  expect(sends()).toEqual(['a']);
  await pass(1_000);
  expect(sends()).toEqual(['a', 'b']);
  await pass(20_000);
  expect(others(stored(server))).toEqual(['a', 'b', 'c']);
});
