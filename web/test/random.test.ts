import { afterEach, expect, test } from 'vitest';
import '../src/client/eventstream';
import { FakeServer, install, pass, uninstall } from './fake';
import { clientOf, generator, id } from './looks';

/**
 * Random faults: whatever happens on the way, in the end the page shows the server's history, and
 * every message is stored once. The test's name contains the seed.
 */

const emojis = ['👍', '🎉'];

afterEach(uninstall);

const seeds = Array.from({ length: 40 }, (_, i) => [i + 1]);

test.each(seeds)('fold of the stream is the history, seed %i', async (seed) => {
  const random = generator(seed);
  const chance = (p: number) => random() < p;
  const server = new FakeServer();
  server.resumeWindow = 12;
  server.chat();
  install(server);
  for (let i = 0; i < 8; i++) server.post('other', `old ${i}`);
  const client = clientOf(server, { random });
  server.answers = ({ op }) => op === 'resume' || chance(0.8);
  let limited = 0;
  server.before = ({ op }) => {
    if (op !== 'message.send') return;
    if (chance(0.05)) limited = Date.now() + 100 + random() * 400;
    if (Date.now() < limited) FakeServer.refuse('rate_limited', limited - Date.now());
  };
  server.hold = () => (chance(0.5) ? new Promise((resolve) => setTimeout(resolve, random() * 800)) : undefined);
  client.start();
  await pass();
  client.show(id);

  const written: string[] = [];
  for (let i = 0; i < 150; i++) {
    act(i);
    await pass(Math.floor(random() * 120));
  }
  function act(i: number): void {
    const roll = random();
    if (roll < 0.25) server.post('other', `theirs ${i}`);
    else if (roll < 0.45) {
      written.push(`mine ${i}`);
      client.send(id, `mine ${i}`);
      // Sometimes many at once.
      for (let n = 0; n < 6 && chance(0.4); n++) {
        written.push(`mine ${i}.${n}`);
        client.send(id, `mine ${i}.${n}`);
      }
    } else if (roll < 0.75) change();
    else if (roll < 0.85) server.cut(chance(0.5) ? 1006 : 1012);
    else if (roll < 0.9) client.show(chance(0.5) ? id : null);
    else if (roll < 0.95) void client.older(id).catch(() => {});
    else server.up = chance(0.7);
  }
  function change(): void {
    const all = [...server.chat().messages.values()];
    const message = all[Math.floor(random() * all.length)]!;
    const about = { message_id: message.id, message_seq: message.seq };
    const emoji = emojis[Math.floor(random() * emojis.length)]!;
    const mine = message.reactions.find((r) => r.emoji === emoji)?.user_ids.includes('other');
    if (chance(0.5)) server.change(mine ? 'reaction.removed' : 'reaction.added', 'other', { ...about, user_id: 'other', emoji });
    else if (message.deleted_at) return;
    else if (chance(0.3)) server.change('message.deleted', 'other', { ...about, version: message.version + 1, deleted_at: 'now' });
    else server.change('message.edited', 'other', { ...about, body: `edit ${random()}`, mentions: [], version: message.version + 1, edited_at: 'now' });
  }

  server.up = true;
  server.answers = () => true;
  client.show(id);
  await pass(200_000);
  const { state, outbox } = client.store.get();
  const chat = state.chats.get(id)!;
  const history = [...server.chat().messages.values()];
  expect(outbox).toEqual([]);
  expect(history.filter((m) => m.sender_id === 'me')).toHaveLength(written.length);
  const sent = [...server.chat().events].flatMap((e) => (e.op === 'message.created' && e.d.sender_id === 'me' ? [e.d.body] : []));
  expect(sent).toEqual(written);
  expect(server.chat().keys.size).toBe(history.length);
  expect(chat).toMatchObject({ cursor: server.chat().lastSeq, ahead: [], stale: false, entryStale: false });
  expect(shape(chat.history!.lines.map(({ message }) => message))).toEqual(shape(history.slice(-chat.history!.lines.length)));
  expect(chat.entry.unread).toBe(server.chat().entry(server.cursor(id)).unread);
  client.stop();
});

/** What the user sees, apart from whose reactions are known by name. */
function shape(messages: { seq: number; body: string; version: number; deleted_at?: string; reactions: { emoji: string; count: number }[] }[]) {
  return messages.map(({ seq, body, version, deleted_at, reactions }) => ({
    seq,
    body,
    version,
    deleted: !!deleted_at,
    reactions: reactions.map((r) => `${r.emoji}${r.count}`).sort(),
  }));
}
