import { describe, expect, test } from 'vitest';
import { ConnectionLost, DeadlineExceeded, ProblemError } from '../src/client/errors';
import * as box from '../src/client/outbox';
import type { ProblemCode } from '../src/client/types';
import { chatId, created, me, other } from './make';

const sent = { message_id: 'm9', seq: 9, ts: '2026-01-01T00:00:00.000Z', replayed: false };

function problem(code: ProblemCode, retry_after_ms?: number) {
  return new ProblemError({ type: '', title: '', status: 0, detail: code, code, retry_after_ms });
}

function filled(...keys: string[]): box.Outbox {
  return keys.reduce((o, key, i) => box.enqueue(o, { key, chat_id: chatId, body: key, written_at: i }), [] as box.Outbox);
}

const status = (o: box.Outbox) => o.map((p) => `${p.key} ${p.status}`);
const keys = (items: box.Pending[]) => items.map((p) => p.key);

describe('order', () => {
  test('only one send per chat is in flight, the next waits for it', () => {
    const two = filled('a', 'b');
    expect(keys(box.startable(two, 0))).toEqual(['a']);
    const flying = box.started(two, 'a');
    expect(box.startable(flying, 0)).toEqual([]);
    expect(keys(box.startable(box.acked(flying, 'a', sent), 0))).toEqual(['b']);
  });

  test('chats do not wait for each other', () => {
    const both = box.enqueue(filled('a', 'b'), { key: 'c', chat_id: 'chat-2', body: '', written_at: 9 });
    expect(keys(box.startable(both, 0))).toEqual(['a', 'c']);
  });

  test('a send that waits for its retry holds up those behind it', () => {
    const waiting = box.refused(box.started(filled('a', 'b'), 'a'), 'a', problem('overloaded'), 150);
    expect(box.startable(waiting, 149)).toEqual([]);
    expect(box.nextDue(waiting, 149)).toBe(150);
    expect(keys(box.startable(waiting, 150))).toEqual(['a']);
  });

  test('a send that failed for good does not hold up those behind it', () => {
    const failed = box.refused(box.started(filled('a', 'b'), 'a'), 'a', problem('forbidden'), 0);
    expect(status(failed)).toEqual(['a failed', 'b queued']);
    expect(keys(box.startable(failed, 0))).toEqual(['b']);
  });

  test('the same key is queued once', () => {
    expect(filled('a', 'a')).toHaveLength(1);
  });
});

describe('several in flight', () => {
  const flying = (...started: string[]) => started.reduce(box.started, filled('a', 'b', 'c', 'd'));
  const of = (o: box.Outbox, key: string) => o.find((p) => p.key === key)!;

  test('the next of a chat start behind those in flight, as many as may', () => {
    expect(keys(box.startable(filled('a', 'b', 'c', 'd'), 0, 3))).toEqual(['a', 'b', 'c']);
    expect(keys(box.startable(flying('a', 'b'), 0, 3))).toEqual(['c']);
    expect(keys(box.startable(flying('a', 'b', 'c'), 0, 3))).toEqual([]);
  });

  test('one that was refused for a moment goes out again alone, when those behind it are answered', () => {
    const refused = box.refused(flying('a', 'b'), 'a', problem('rate_limited'), 10);
    expect(box.startable(refused, 20, 9)).toEqual([]);
    const both = box.refused(refused, 'b', problem('rate_limited'), 10);
    expect(keys(box.startable(both, 20, 9))).toEqual(['a']);
    const again = box.started(both, 'a');
    expect(box.startable(again, 20, 9)).toEqual([]);
    expect(keys(box.startable(box.acked(again, 'a', sent), 20, 9))).toEqual(['b']);
  });

  test('one that waits holds up those behind it, whatever may be in flight', () => {
    const waiting = box.refused(box.started(filled('a', 'b'), 'a'), 'a', problem('overloaded'), 50);
    expect(box.startable(waiting, 49, 9)).toEqual([]);
  });

  test('one refused for good leaves those around it alone', () => {
    const refused = box.refused(flying('a', 'b', 'c'), 'b', problem('forbidden'), 0);
    expect(status(refused)).toEqual(['a sending', 'b failed', 'c sending', 'd queued']);
    expect(keys(box.startable(refused, 0, 9))).toEqual(['d']);
  });

  test('lost with the connection, all go out again in their order', () => {
    const lost = ['b', 'a', 'c'].reduce((o, key) => box.refused(o, key, new ConnectionLost(), 0), flying('a', 'b', 'c'));
    expect(keys(box.startable(lost, 0, 9))).toEqual(['a', 'b', 'c', 'd']);
  });

  test('one refused for a moment never comes behind a later message by itself', () => {
    const before = box.acked(box.refused(flying('a', 'b'), 'a', problem('rate_limited'), 10), 'b', sent);
    expect(of(before, 'a')).toMatchObject({ status: 'failed', reason: 'rate_limited' });
    const byEvent = box.ackedByEvent(box.refused(flying('a', 'b'), 'a', problem('unavailable'), 10), created(9, { sender_id: me, key: 'b' }), me);
    expect(of(byEvent, 'a').status).toBe('failed');
    const after = box.refused(box.acked(flying('a', 'b'), 'b', sent), 'a', problem('unavailable'), 10);
    expect(of(after, 'a')).toMatchObject({ status: 'failed', reason: 'unavailable' });
    expect(of(box.refused(box.started(box.retried(after, 'a'), 'a'), 'a', problem('unavailable'), 10), 'a').status).toBe('queued');
    const lost = box.refused(box.acked(flying('a', 'b'), 'b', sent), 'a', new ConnectionLost(), 10);
    expect(of(box.refused(box.started(lost, 'a'), 'a', problem('rate_limited'), 10), 'a').status).toBe('failed');
    expect(of(box.refused(box.retried(before, 'a'), 'a', problem('rate_limited'), 10), 'a').status).toBe('queued');
  });

  test('one whose outcome is unknown is asked for under its key, whatever came behind it', () => {
    const unknown = box.refused(box.acked(flying('a', 'b'), 'b', sent), 'a', problem('unknown_outcome'), 0);
    expect(of(unknown, 'a').status).toBe('queued');
    expect(keys(box.startable(unknown, 0, 9))).toEqual(['a']);
  });

  test('other chats are not in the way', () => {
    const refused = box.refused(flying('a'), 'a', problem('overloaded'), 0);
    const other = box.enqueue(refused, { key: 'x', chat_id: 'chat-2', body: '', written_at: 9 });
    const acked = box.acked(box.started(other, 'x'), 'x', sent);
    expect(of(acked, 'a').status).toBe('queued');
  });
});

describe('outcomes', () => {
  test.each(['rate_limited', 'internal', 'unavailable', 'overloaded', 'unknown_outcome'] as const)('%s is tried again under the same key', (code) => {
    const again = box.refused(box.started(filled('a'), 'a'), 'a', problem(code), 10);
    expect(again[0]).toMatchObject({ key: 'a', status: 'queued', attempts: 1, due: 10 });
  });

  test.each(['bad_request', 'forbidden', 'not_found', 'conflict', 'too_large', 'key_reused'] as const)('%s fails', (code) => {
    const failed = box.refused(box.started(filled('a'), 'a'), 'a', problem(code), 10);
    expect(failed[0]).toMatchObject({ key: 'a', status: 'failed', reason: code });
  });

  test('a missed deadline is an unknown outcome', () => {
    const again = box.refused(box.started(filled('a'), 'a'), 'a', new DeadlineExceeded(), 10);
    expect(again[0]).toMatchObject({ key: 'a', status: 'queued' });
  });

  test.each([
    ['internal', 'failed'],
    ['unavailable', 'queued'],
    ['overloaded', 'queued'],
  ] as const)('%s, often enough, is %s: an outage is waited out, a stumble is not', (code, status) => {
    let o = filled('a');
    for (let i = 0; i < box.maxAttempts; i++) o = box.refused(box.started(o, 'a'), 'a', problem(code), 0);
    expect(o[0]!.status).toBe(status);
  });

  test('a lost connection is not a refusal: the same key goes out again', () => {
    const again = box.refused(box.started(filled('a'), 'a'), 'a', new ConnectionLost(), 0);
    expect(again[0]).toMatchObject({ key: 'a', status: 'queued', attempts: 0 });
    expect(new ConnectionLost()).toBeInstanceOf(Error);
  });

  test('a manual retry keeps the key and goes behind what was written since', () => {
    const failed = box.refused(box.started(filled('a', 'b'), 'a'), 'a', problem('forbidden'), 0);
    const again = box.retried(failed, 'a');
    expect(status(again)).toEqual(['b queued', 'a queued']);
    expect(again[1]).not.toHaveProperty('reason');
  });

  test('only a failed send can be discarded or retried', () => {
    const o = filled('a');
    expect(box.discarded(o, 'a')).toEqual(o);
    expect(box.retried(o, 'a')).toBe(o);
    const failed = box.refused(box.started(o, 'a'), 'a', problem('forbidden'), 0);
    expect(box.discarded(failed, 'a')).toEqual([]);
  });
});

describe('settling', () => {
  test('the event with the key ends a send whose ack was lost', () => {
    const flying = box.started(filled('a', 'b'), 'a');
    const settled = box.ackedByEvent(flying, created(9, { sender_id: me, key: 'a' }), me);
    expect(status(settled)).toEqual(['a acked', 'b queued']);
    expect(status(box.settledByCursor(settled, () => 9))).toEqual(['b queued']);
  });

  test('the same key from another user ends nothing', () => {
    const o = filled('a');
    expect(box.ackedByEvent(o, created(9, { sender_id: other, key: 'a' }), me)).toBe(o);
  });

  test('an answer after the event changes nothing', () => {
    const done = box.ackedByEvent(box.started(filled('a'), 'a'), created(9, { sender_id: me, key: 'a' }), me);
    expect(status(box.refused(done, 'a', problem('internal'), 0))).toEqual(['a acked']);
    const none = box.settledByCursor(done, () => 9);
    expect(box.acked(none, 'a', sent)).toEqual([]);
    expect(box.refused(none, 'a', problem('internal'), 0)).toEqual([]);
  });

  test('an acknowledged send stays until the chat holds its message', () => {
    const done = box.acked(box.started(filled('a'), 'a'), 'a', sent);
    expect(box.settledByCursor(done, () => 8)).toBe(done);
    expect(box.settledByCursor(done, () => 9)).toEqual([]);
    expect(box.settledByCursor(done, () => undefined)).toEqual([]);
  });
});
