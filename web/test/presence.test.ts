import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../src/client';
import type { PresenceState } from '../src/client/types';
import { FakeServer, install, pass, uninstall } from './fake';
import { clientOf } from './looks';
import { other } from './make';

let server: FakeServer;
let client: Client;
const commands = (op: string) => server.received.filter((c) => c['op'] === op);
const watches = () => commands('presence.watch').map(({ d }) => d.user_ids);
const state = (id: string) => client.store.get().presence.get(id)?.state;
const tell = (user_id: string, state: PresenceState) => server.tell({ op: 'presence', d: { users: [{ user_id, state }] } });

beforeEach(async () => {
  server = new FakeServer();
  server.presence = ['me', other, 'third'].map((user_id) => ({ user_id, state: 'online' }));
  server.chat();
  install(server);
  client = clientOf(server);
});

afterEach(() => {
  client.stop();
  uninstall();
});

async function begin(): Promise<void> {
  client.start();
  await pass(500);
}

describe('watching', () => {
  test('asks for exactly the users shown and oneself, in one command for many changes', async () => {
    await begin();
    client.presences.show('list', [other]);
    client.presences.show('members', ['third', other]);
    await pass(500);
    client.presences.show('members', []);
    await pass(500);
    client.presences.show('header', [other]);
    await pass(500);
    expect(watches().map((ids) => new Set(ids))).toEqual([new Set(['me']), new Set(['me', other, 'third']), new Set(['me', other])]);
  });

  test('shows the answer, then the pushes', async () => {
    client.presences.show('list', [other]);
    await begin();
    expect([state('me'), state(other)]).toEqual(['online', 'online']);
    tell(other, 'away');
    tell('third', 'away');
    await pass();
    expect([state(other), state('third')]).toEqual(['away', undefined]);
  });

  test('that gets no answer does not disturb the next one', async () => {
    await begin();
    server.answers = ({ op, d }) => op !== 'presence.watch' || !d.user_ids.includes(other);
    client.presences.show('list', [other]);
    await pass(500);
    client.presences.show('list', ['third']);
    await pass(12_000);
    expect([state(other), state('third')]).toEqual([undefined, 'online']);
  });

  test('is repeated on every new connection', async () => {
    client.presences.show('list', [other]);
    await begin();
    server.presence = [{ user_id: other, state: 'dnd' }];
    server.cut();
    await pass(5_000);
    expect(watches()).toHaveLength(2);
    expect(watches()[1]).toEqual(watches()[0]);
    expect(state(other)).toBe('dnd');
  });

  test('shows nobody as present while the connection is lost', async () => {
    client.presences.show('list', [other]);
    await begin();
    server.up = false;
    server.cut();
    await pass();
    expect(client.store.get().presence.size).toBe(0);
  });

  test('covers at most 500 users, those opened last first, however the rest changes', async () => {
    client.presences.show('list', Array.from({ length: 600 }, (_, i) => `user ${i}`));
    client.presences.show('members', [other]);
    client.presences.show('list', Array.from({ length: 600 }, (_, i) => `user ${i}`));
    await begin();
    expect(watches()[0]).toHaveLength(500);
    expect(watches()[0].slice(0, 3)).toEqual(['me', other, 'user 0']);
  });

  test('is retried when the server was busy', async () => {
    server.before = ({ op }) => void (op === 'presence.watch' && FakeServer.refuse('overloaded'));
    client.presences.show('list', [other]);
    await begin();
    server.before = () => {};
    await pass(6_000);
    expect(state(other)).toBe('online');
  });

  test('asks a server without presence only once, and shows nobody', async () => {
    server.presence = null;
    client.presences.show('list', [other]);
    await begin();
    client.presences.show('members', ['third']);
    client.presences.active();
    await pass(120_000);
    client.presences.active();
    await pass();
    expect([watches().length, commands('activity').length, client.store.get().presence.size]).toEqual([1, 1, 0]);
  });
});

describe('the user', () => {
  test('is active at most every 30 s, however much they do', async () => {
    await begin();
    for (let i = 0; i < 700; i++) {
      client.presences.active();
      await pass(100);
    }
    expect(commands('activity')).toHaveLength(3);
  });

  test('is active on a new connection with the first thing they do', async () => {
    await begin();
    client.presences.active();
    await pass();
    server.cut();
    await pass(5_000);
    expect(commands('activity')).toHaveLength(1);
    client.presences.active();
    await pass();
    expect(commands('activity')).toHaveLength(2);
  });

  test('appears as chosen, once the server has accepted it', async () => {
    await begin();
    await Promise.all([client.presences.set('invisible'), pass()]);
    expect(commands('presence.set').map(({ d }) => d)).toEqual([{ state: 'invisible' }]);
    expect(state('me')).toBe('invisible');
  });

  test('appears as before if the server does not accept it', async () => {
    await begin();
    server.before = ({ op }) => void (op === 'presence.set' && FakeServer.refuse('unavailable'));
    await Promise.all([expect(client.presences.set('dnd')).rejects.toThrow('refused: unavailable'), pass()]);
    expect(state('me')).toBe('online');
  });
});
