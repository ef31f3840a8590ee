import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../src/client';
import { applyOwnCursor, applyReset, putChats } from '../src/client/apply';
import { applyCursor, reach, receipt, receivers, putCursors } from '../src/client/receipts';
import { FakeServer, install, pass, uninstall } from './fake';
import { clientOf } from './looks';
import { apply, chatId as id, chatOf, created, entry, event, holding, me, other } from './make';

const cursor = (user_id: string, read_seq: number, delivered_seq = read_seq) => ({ user_id, read_seq, delivered_seq });

/** A chat at seq 5 with two others: one has read up to 3, the other has received up to 2. */
function known() {
  const state = holding({ last_seq: 5 });
  return putCursors(state, id, chatOf(state).memberRev, [cursor(me, 5), cursor(other, 3, 4), cursor('third', 1, 2)]).state;
}

describe('receipts', () => {
  const ticks = (state = known(), most = 64) => [1, 2, 3].map((seq) => receipt(reach(chatOf(state), most), seq));

  test('are the least that is true for everyone else', () => {
    expect(ticks()).toEqual(['read', 'delivered', 'sent']);
    expect(receivers(chatOf(known()), 2)).toEqual({ read: [other], delivered: ['third'], sent: [] });
  });

  test('say only sent while nothing is known, alone, or in a chat too large for receipts', () => {
    expect(ticks(holding({ last_seq: 5 }))).toEqual(['sent', 'sent', 'sent']);
    expect(ticks(putCursors(holding(), id, 0, [cursor(me, 5)]).state)).toEqual(['sent', 'sent', 'sent']);
    expect(ticks(known(), 1)).toEqual(['sent', 'sent', 'sent']);
  });

  test('follow the pushes, and never go back', () => {
    const state = applyCursor(known(), id, 'third', { read_seq: 2, delivered_seq: 5 });
    expect(ticks(state)).toEqual(['read', 'read', 'delivered']);
    expect(applyCursor(state, id, 'third', { read_seq: 1, delivered_seq: 3 })).toBe(state);
    const late = putCursors(state, id, chatOf(state).memberRev, [cursor(other, 3), cursor('third', 1, 2)]).state;
    expect(ticks(late)).toEqual(['read', 'read', 'delivered']);
  });

  test('what is read is delivered', () => {
    const state = applyCursor(known(), id, 'third', { read_seq: 3, delivered_seq: 0 });
    expect(chatOf(state).cursors.get('third')).toEqual({ read_seq: 3, delivered_seq: 3 });
  });

  test('a sender has read everything before', () => {
    const state = apply(known(), { ...created(6, { sender_id: 'third' }), actor_id: 'third' });
    expect(chatOf(state).cursors.get('third')).toEqual({ read_seq: 6, delivered_seq: 6 });
    expect(ticks(state)).toEqual(['read', 'read', 'read']);
  });

  test('a cursor that arrives during the read survives the answer', () => {
    const early = applyCursor(holding({ last_seq: 5 }), id, other, { read_seq: 5, delivered_seq: 5 });
    const state = putCursors(early, id, chatOf(early).memberRev, [cursor(other, 2)]).state;
    expect(chatOf(state).cursors.get(other)!.read_seq).toBe(5);
  });

  test('an answer from before a change of members is read again', () => {
    const rev = chatOf(known()).memberRev;
    const state = apply(known(), event(6, 'member.removed', { user_id: 'third', by: me }));
    expect(putCursors(state, id, rev, [cursor(other, 3), cursor('third', 1, 2)]).again).toBe(true);
    const read = putCursors(state, id, rev + 1, [cursor(other, 3)]).state;
    expect(ticks(read)).toEqual(['read', 'read', 'read']);
    expect(applyCursor(read, id, 'third', { read_seq: 1, delivered_seq: 2 })).toBe(read);
  });

  test('of another epoch are forgotten', () => {
    expect(ticks(applyReset(known(), id, 4))).toEqual(['sent', 'sent', 'sent']);
    expect(ticks(putChats(known(), [entry({ last_seq: 4 })]))).toEqual(['sent', 'sent', 'sent']);
  });
});

test('the further part of the own cursor wins, and counts change only with what is read', () => {
  const state = apply(holding(), created(1), created(2), created(3));
  const got = applyOwnCursor(state, id, { read_seq: 0, delivered_seq: 2, unread: 2, mentions: 0 });
  expect(chatOf(got).entry).toMatchObject({ read_seq: 0, delivered_seq: 2, unread: 3 });
  const read = applyOwnCursor(got, id, { read_seq: 1, delivered_seq: 1, unread: 2, mentions: 0 });
  expect(chatOf(read).entry).toMatchObject({ read_seq: 1, delivered_seq: 2, unread: 2 });
});

describe('over the wire', () => {
  let server: FakeServer;
  let client: Client;
  const acknowledged = () =>
    server.received.filter(({ op, d }) => op === 'cursor.set' && d.delivered_seq).map(({ d }) => `${d.chat_id} ${d.delivered_seq}`);
  const held = () => client.store.get().state.chats.get(id)!;
  const state = (seq: number) => receipt(reach(held(), 64), seq);

  beforeEach(async () => {
    server = new FakeServer();
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
    await pass();
  }

  test('messages are acknowledged, on screen or not, at most once a second per chat', async () => {
    server.chat('chat-2');
    await begin();
    server.post(other, 'hello', 'k', 'chat-2');
    for (let i = 0; i < 50; i++) {
      server.post(other, `message ${i}`);
      await pass(100);
    }
    await pass(2_000);
    expect(acknowledged().filter((line) => line.startsWith('chat-2'))).toEqual(['chat-2 1']);
    const own = acknowledged().filter((line) => line.startsWith(id));
    expect(own.length).toBeGreaterThan(2);
    expect(own.length).toBeLessThanOrEqual(6);
    expect(own.at(-1)).toBe(`${id} 50`);
    expect(held().entry).toMatchObject({ delivered_seq: 50, unread: 50 });
  });

  test('messages that waited on the server are acknowledged on arrival, many chats at a pace', async () => {
    for (let i = 0; i < 60; i++) server.post(other, 'hello', 'k', `chat-${i}`);
    await begin();
    await pass(1_000);
    expect(acknowledged().length).toBeLessThan(25);
    await pass(5_000);
    expect(acknowledged()).toHaveLength(60);
  });

  test('messages read or sent here need no acknowledgement', async () => {
    await begin();
    server.post(other, 'read');
    await pass();
    void client.read(id);
    await pass(3_000);
    client.send(id, 'sent');
    await pass(3_000);
    expect(acknowledged()).toEqual([]);
  });

  test('nor do messages in a chat too large for receipts', async () => {
    server.chat().kind = { kind: 'public', member_count: 65 };
    await begin();
    server.post(other, 'hello');
    await pass(3_000);
    expect(acknowledged()).toEqual([]);
  });

  test('a refused acknowledgement is not repeated before the next connection', async () => {
    server.before = ({ op }) => void (op === 'cursor.set' && FakeServer.refuse('overloaded'));
    await begin();
    server.post(other, 'hello');
    await pass(20_000);
    expect(acknowledged()).toEqual([`${id} 1`]);
    server.before = () => {};
    server.cut();
    await pass(5_000);
    expect(acknowledged()).toEqual([`${id} 1`, `${id} 1`]);
    expect(server.cursor(id).delivered_seq).toBe(1);
  });

  test('a hole is not acknowledged before it is filled', async () => {
    await begin();
    let release = () => {};
    server.hold = (path) => (path.endsWith('/events') ? new Promise((resolve) => (release = resolve)) : undefined);
    server.delivers = ({ seq }) => seq !== 1;
    for (const body of ['one', 'two']) server.post(other, body);
    await pass(3_000);
    expect(acknowledged()).toEqual([]);
    release();
    await pass(3_000);
    expect(acknowledged()).toEqual([`${id} 2`]);
  });

  test('the cursors of a small chat are read when it is opened, and follow the pushes', async () => {
    const reads: string[] = [];
    server.hold = (path) => void (path.endsWith('/cursors') && reads.push(path));
    server.cursors = [cursor(other, 0)];
    await begin();
    client.send(id, 'hello');
    await pass();
    expect(reads).toEqual([]);
    client.show(id);
    await pass();
    expect([reads.length, state(1)]).toEqual([1, 'sent']);
    server.tell({ op: 'cursor', chat_id: id, d: cursor(other, 0, 1) });
    await pass();
    expect(state(1)).toBe('delivered');
    server.tell({ op: 'cursor', chat_id: id, d: cursor(other, 1) });
    await pass();
    expect([reads.length, state(1)]).toEqual([1, 'read']);
  });

  test('they are read again after a reconnect, because pushes were missed', async () => {
    server.cursors = [cursor(other, 0)];
    await begin();
    client.show(id);
    client.send(id, 'hello');
    await pass();
    server.cut();
    server.cursors = [cursor(other, 1)];
    await pass(5_000);
    expect(state(1)).toBe('read');
  });

  test('they are read again when a member is added, who has not read anything yet', async () => {
    server.cursors = [cursor(other, 9)];
    await begin();
    client.show(id);
    client.send(id, 'hello');
    await pass();
    expect(state(1)).toBe('read');
    server.cursors = [cursor(other, 9), cursor('third', 0)];
    server.change('member.added', other, { user_id: 'third', role: 'member', by: other });
    await pass();
    expect(state(1)).toBe('sent');
  });

  test('in a chat too large for receipts they are not read', async () => {
    server.chat().kind = { kind: 'public', member_count: 65 };
    server.cursors = [cursor(other, 9)];
    await begin();
    client.show(id);
    await pass();
    expect(held().cursorsRev).toBeNull();
  });
});
