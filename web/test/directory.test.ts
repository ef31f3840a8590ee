import { afterEach, beforeEach, expect, test } from 'vitest';
import { Client, Rest } from '../src/client';
import { FakeServer, install, pass, uninstall } from './fake';
import { user } from './looks';

/** People that a page does not know yet. */

let server: FakeServer;
let client: Client;
let asked: string[][];
let status: number;

beforeEach(async () => {
  server = new FakeServer();
  asked = [];
  status = 200;
  install(server);
  const fetcher = (async (url: string, init: RequestInit) => {
    const { pathname, searchParams } = new URL(url, 'http://server');
    if (pathname === '/api/v1/users') asked.push(searchParams.getAll('id'));
    return status === 200 ? server.fetch(url, init) : new Response('', { status });
  }) as typeof fetch;
  client = new Client({ user, socketUrl: 'ws://server/ws', rest: new Rest('', '', fetcher), random: () => 0.5 });
  client.start();
  await pass();
});

afterEach(() => {
  client.stop();
  uninstall();
});

const ids = (n: number) => Array.from({ length: n }, (_, i) => `u${i}`);
const known = () => client.store.get().users.size;

test('are asked for with one request, whoever needs them in the same turn', async () => {
  for (const id of ids(150)) client.directory.need([id, 'u0', '', 'me']);
  await pass();
  expect(asked).toEqual([ids(150)]);
  expect(known()).toBe(151);
  client.directory.need(ids(150));
  await pass();
  expect(asked).toHaveLength(1);
});

test('come 200 at a time, and those needed meanwhile afterwards', async () => {
  client.directory.need(ids(450));
  await Promise.resolve();
  client.directory.need(['late']);
  await pass();
  expect(asked.map((part) => part.length)).toEqual([200, 200, 51]);
  expect(asked.flat()).toEqual([...ids(450), 'late']);
});

test('who are needed while a few others are asked for are asked for as well', async () => {
  client.directory.need(['a']);
  await Promise.resolve();
  await Promise.resolve();
  client.directory.need(['b', 'c']);
  await pass();
  expect(asked).toEqual([['a'], ['b', 'c']]);
});

test('are asked for again when somebody is needed after a failure, or the connection is back', async () => {
  status = 503;
  client.directory.need(['a', 'b']);
  await pass();
  expect(asked).toEqual([['a', 'b']]);
  client.directory.need(['c']);
  await pass();
  expect(asked.slice(1)).toEqual([['a', 'b', 'c']]);
  status = 200;
  client.reconnect();
  await pass(1_000);
  expect(asked.slice(2)).toEqual([['a', 'b', 'c']]);
  expect(known()).toBe(4);
});

test('that a refusal hides are not asked for again, but others are', async () => {
  status = 404;
  client.directory.need(ids(201));
  await pass();
  status = 200;
  client.directory.need(['u0', 'other']);
  await pass();
  expect(asked.map((part) => part.length)).toEqual([200, 2]);
  expect(known()).toBe(3);
});
