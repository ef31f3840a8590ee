import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../src/client';
import '../src/client/eventstream';
import { FakeServer, install, pass, uninstall } from './fake';
import { clientOf, id } from './looks';

/** Where WebSockets are blocked, the event stream and REST do the same work. */

let server: FakeServer;
let client: Client;

beforeEach(async () => {
  server = new FakeServer();
  server.chat();
  server.websockets = false;
  install(server);
  client = clientOf(server);
  client.start();
  await pass(5_000);
  client.show(id);
  await pass();
});

afterEach(() => {
  client.stop();
  uninstall();
});

const bodies = () => client.store.get().state.chats.get(id)!.history!.lines.map(({ message }) => message.body);
const phase = () => client.store.get().connection.phase;
const kinds = () => [...server.sockets].map((socket) => socket.url);

describe('the event stream', () => {
  test('is used when WebSockets are silent, and delivers messages', async () => {
    expect([phase(), kinds()]).toEqual(['online', ['stream']]);
    server.post('other', '你好');
    client.send(id, 'hi');
    await pass();
    expect(bodies()).toEqual(['你好', 'hi']);
    expect(client.store.get().outbox).toEqual([]);
    expect(server.received).toMatchObject([{ op: 'message.send', rest: true }]);
  });

  test('that was cut comes back at once as a stream, and missed messages are read once', async () => {
    server.post('other', 'one');
    await pass();
    server.up = false;
    server.cut();
    server.post('other', 'two');
    client.send(id, 'three');
    await pass(60_000);
    expect(phase()).toBe('offline');
    server.up = true;
    await pass(60_000);
    server.post('other', 'four');
    await pass();
    expect([phase(), kinds()]).toEqual(['online', ['stream']]);
    expect(bodies()).toEqual(['one', 'two', 'three', 'four']);
    expect(server.chat().keys.size).toBe(4);
  });

  test('of another epoch makes the client read everything again', async () => {
    server.post('other', 'one');
    await pass();
    server.epoch = 'e2';
    server.cut();
    await pass(30_000);
    expect(client.store.get().state.epoch).toBe('e2');
    expect([bodies(), client.store.get().state.chats.get(id)!.stale]).toEqual([['one'], false]);
  });

  test('gives way to a WebSocket after a while, if those had worked before', async () => {
    server.websockets = true;
    server.cut();
    await pass(60_000);
    expect(kinds()).toEqual(['stream']);
    client.stop();
    client = clientOf(server);
    client.start();
    await pass();
    expect(kinds()).toEqual(['ws://server/ws']);
    server.websockets = false;
    server.cut();
    await pass(60_000);
    expect(kinds()).toEqual(['stream']);
    server.websockets = true;
    await pass(11 * 60_000);
    expect([phase(), kinds()]).toEqual(['online', ['ws://server/ws']]);
  });

  test('gives way to a WebSocket once those get through, even if none ever had', async () => {
    server.websockets = true;
    await pass(61 * 60_000);
    expect([phase(), kinds()]).toEqual(['online', ['ws://server/ws']]);
  });

  test('that died silently is noticed when someone looks', async () => {
    await pass(2_000);
    server.cut('silence');
    server.post('other', 'meanwhile');
    await pass(21_000);
    client.probe();
    await pass(2_000);
    expect([phase(), bodies()]).toEqual(['online', ['meanwhile']]);
  });
});
