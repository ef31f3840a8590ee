import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Client, ClientOptions } from '../src/client';
import '../src/client/eventstream';
import { FakeServer, install, pass, uninstall } from './fake';
import { clientOf, id } from './looks';

/** Who is connected, and for how long. */

let server: FakeServer;
let client: Client;

function begin(options: Partial<ClientOptions> = {}): Promise<unknown> {
  client = clientOf(server, options);
  client.start();
  return pass();
}

const connection = () => client.store.get().connection;
const sent = () => server.received.filter(({ op }) => op === 'message.send').length;

beforeEach(() => {
  server = new FakeServer();
  server.chat();
  install(server);
});

afterEach(() => {
  client.stop();
  uninstall();
});

describe('a token', () => {
  test('is what a connection begins with', async () => {
    await begin({ token: 't' });
    expect(server.received.slice(0, 2)).toMatchObject([{ op: 'auth', d: { token: 't' } }, { op: 'resume' }]);
    expect(connection().phase).toBe('online');
  });

  test('that the server refuses asks for a login', async () => {
    server.before = ({ op }) => void (op === 'auth' && FakeServer.refuse('unauthenticated'));
    await begin({ token: 't' });
    expect(connection()).toMatchObject({ phase: 'ended', login: true, code: 4501 });
  });

  test('whose answer is lost with the connection is sent again on the next one', async () => {
    let losses = 1;
    server.before = ({ op }) => void (op === 'auth' && losses-- > 0 && server.cut());
    await begin({ token: 't' });
    await pass(10_000);
    expect(connection().phase).toBe('online');
  });

  test('that cannot be looked up for a moment is sent again', async () => {
    let refusals = 2;
    server.before = ({ op }) => void (op === 'auth' && refusals-- > 0 && FakeServer.refuse('unavailable'));
    await begin({ token: 't' });
    await pass(10_000);
    expect(connection().phase).toBe('online');
  });

  test('still unanswered at stop changes nothing afterwards', async () => {
    server.answers = ({ op }) => op !== 'auth';
    await begin({ token: 't' });
    const last = client.store.get();
    client.stop();
    await pass(60_000);
    expect(client.store.get()).toBe(last);
  });
});

test('nothing is sent in the name of another user who has logged in meanwhile', async () => {
  await begin();
  server.up = false;
  server.cut();
  client.send(id, 'mine alone');
  Object.assign(server, { user: 'somebody else', up: true });
  await pass(60_000);
  expect(connection()).toMatchObject({ phase: 'ended', login: true });
  expect([sent(), server.sockets.size]).toEqual([0, 0]);
});

describe('after stop', () => {
  test.each(['online', 'offline', 'sending', 'typing', 'by the stream'])('nothing is left when it was %s', async (how) => {
    if (how === 'by the stream') server.websockets = false;
    await begin();
    await pass(5_000);
    client.show(id);
    server.answers = ({ op }) => op !== 'message.send';
    if (how === 'sending') client.send(id, 'x');
    if (how === 'typing') client.typed(id, 'x');
    client.presences.show('list', ['ada']);
    if (how === 'offline') {
      server.up = false;
      server.cut();
    }
    await pass(10);
    client.stop();
    const last = client.store.get();
    await pass(1_000);
    expect(client.store.get()).toBe(last);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('waking up', () => {
  const listeners = new Map<string, (event: { type: string }) => void>();

  beforeEach(() => {
    vi.stubGlobal('addEventListener', (name: string, listener: never) => listeners.set(name, listener));
    vi.stubGlobal('removeEventListener', (name: string) => listeners.delete(name));
  });

  test('the connection returns with the network, at once', async () => {
    await begin({ random: () => 1 });
    server.up = false;
    server.cut();
    await pass(60_000);
    server.up = true;
    await pass(10);
    if (connection().phase === 'offline') listeners.get('online')!({ type: 'online' });
    await pass(10);
    expect(connection().phase).toBe('online');
    client.stop();
    expect(listeners.size).toBe(0);
  });

  test('a page that slept for hours notices a dead connection within seconds', async () => {
    await begin();
    server.cut('silence');
    server.post('other', 'meanwhile');
    vi.stubGlobal('document', { visibilityState: 'visible' });
    listeners.get('visibilitychange')!({ type: 'visibilitychange' });
    await pass(6_000);
    expect(connection().phase).toBe('online');
    expect(client.store.get().state.chats.get(id)!.entry.last_message?.body).toBe('meanwhile');
  });
});
