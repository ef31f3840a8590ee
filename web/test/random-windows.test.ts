import { afterEach, expect, test } from 'vitest';
import type { Client, Draft, OutboxStorage } from '../src/client';
import { shareWindows } from '../src/client/shared';
import '../src/client/eventstream';
import { FakeServer, install, pass, uninstall } from './fake';
import { clientOf, generator, id } from './looks';
import { installWindows } from './windows';

/**
 * One user's windows open, close and freeze at random, with random faults: in the end every window
 * shows the server's history, and every message is stored once, in the order of its window.
 */


let windows: Client[] = [];

afterEach(() => {
  for (const window of windows) window.stop();
  windows = [];
  uninstall();
});

const seeds = Array.from({ length: 20 }, (_, i) => [i + 1]);

test.each(seeds)('windows agree with the server, seed %i', async (seed) => {
  const random = generator(seed);
  const chance = (p: number) => random() < p;
  const server = new FakeServer();
  server.resumeWindow = 12;
  server.chat();
  install(server);
  const browser = installWindows();
  const kept = new Map<string, Draft>();
  // Like IndexedDB: asynchronous, and in the order of the keys.
  const later = (fn: () => void) => void setTimeout(fn, random() * 20);
  const storage: OutboxStorage = {
    load: () => new Promise((resolve) => later(() => resolve([...kept.values()].sort((a, b) => (a.key < b.key ? -1 : 1))))),
    save: (draft) => later(() => kept.set(draft.key, draft)),
    forget: (key) => later(() => kept.delete(key)),
  };
  server.answers = ({ op }) => op === 'resume' || chance(0.85);
  server.hold = () => (chance(0.5) ? new Promise((resolve) => setTimeout(resolve, random() * 400)) : undefined);
  const wrote = new Map<Client, string[]>();
  const heard = new Map<Client, number[]>();

  function open(): void {
    const client = clientOf(server, { storage, share: shareWindows(), random });
    windows.push(client);
    wrote.set(client, []);
    heard.set(client, []);
    client.on('event', ({ seq }) => heard.get(client)!.push(seq));
    client.start();
    client.show(id);
  }

  let frozen = false;
  function act(i: number): void {
    const roll = random();
    const some = windows[Math.floor(random() * windows.length)]!;
    if (roll < 0.2) server.post('other', `theirs ${i}`);
    else if (roll < 0.5) {
      const body = `mine ${i}`;
      wrote.get(some)!.push(body);
      some.send(id, body);
    } else if (roll < 0.58 && windows.length < 4 && !frozen) open();
    else if (roll < 0.64 && windows.length > 1 && !frozen) close(some);
    else if (roll < 0.68 && !frozen) {
      browser.freeze();
      frozen = true;
      open();
    } else if (roll < 0.74 && frozen) {
      browser.thaw();
      frozen = false;
    } else if (roll < 0.82) server.cut(chance(0.5) ? 1006 : 1012);
    else if (roll < 0.86) server.websockets = chance(0.5);
    else if (roll < 0.9) some.probe();
    else server.up = chance(0.7);
  }

  function close(client: Client): void {
    windows = windows.filter((other) => other !== client);
    client.stop();
  }

  open();
  for (let i = 0; i < 120; i++) {
    act(i);
    await pass(Math.floor(random() * 150));
  }
  if (frozen) browser.thaw();
  Object.assign(server, { up: true, websockets: true, answers: () => true, hold: () => undefined });
  await pass(200_000);

  const history = [...server.chat().messages.values()];
  const mine = history.filter((m) => m.sender_id === 'me').map((m) => m.body);
  expect([...mine].sort()).toEqual([...wrote.values()].flat().sort());
  for (const bodies of wrote.values()) expect(mine.filter((body) => bodies.includes(body))).toEqual(bodies);
  for (const client of windows) {
    const { state, outbox, connection } = client.store.get();
    const chat = state.chats.get(id)!;
    expect([connection.phase, outbox, chat.ahead, chat.stale]).toEqual(['online', [], [], false]);
    expect(chat.cursor).toBe(server.chat().lastSeq);
    expect(chat.history!.lines.map(({ message }) => message.body)).toEqual(history.slice(-chat.history!.lines.length).map((m) => m.body));
    const seqs = heard.get(client)!;
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
  }
  expect(server.sockets.size).toBe(1);

  // If a window kept a message after another had sent it, the next window finds it already sent.
  windows.forEach(close);
  open();
  await pass(5_000);
  expect([kept.size, server.chat().messages.size, windows[0]!.store.get().outbox]).toEqual([0, history.length, []]);
});
