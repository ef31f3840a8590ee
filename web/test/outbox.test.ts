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
  test('one send of a chat is in flight, the next waits for it', () => {
    const two = filled('a', 'b');
    expect(keys(box.startable(two, 0))).toEqual(['a']);
    const flying = box.started(two, 'a');
    expect(box.startable(flying, 0)).toEqual([]);
    expect(keys(box.startable(box.acked(flying, 'a', sent), 0))).toEqual(['b']);
  });

  test('chats do not wait for one another', () => {
    const both = box.enqueue(filled('a', 'b'), { key: 'c', chat_id: 'chat-2', body: '', written_at: 9 });
    expect(keys(box.startable(both, 0))).toEqual(['a', 'c']);
  });

  test('a send that waits to be tried again holds up those behind it', () => {
    const waiting = box.refused(box.started(filled('a', 'b'), 'a'), 'a', problem('overloaded'), 100, 50);
    expect(box.startable(waiting, 149)).toEqual([]);
    expect(box.nextDue(waiting, 149)).toBe(150);
    expect(keys(box.startable(waiting, 150))).toEqual(['a']);
  });

  test('a send that failed for good does not hold up those behind it', () => {
    const failed = box.refused(box.started(filled('a', 'b'), 'a'), 'a', problem('forbidden'), 0, 0);
    expect(status(failed)).toEqual(['a failed', 'b queued']);
    expect(keys(box.startable(failed, 0))).toEqual(['b']);
  });

  test('the same key is queued once', () => {
    expect(filled('a', 'a')).toHaveLength(1);
  });
});

describe('outcomes', () => {
  test.each(['rate_limited', 'internal', 'unavailable', 'overloaded', 'unknown_outcome'] as const)('%s is tried again under the same key', (code) => {
    const again = box.refused(box.started(filled('a'), 'a'), 'a', problem(code), 0, 10);
    expect(again[0]).toMatchObject({ key: 'a', status: 'queued', attempts: 1, due: 10 });
  });

  test.each(['bad_request', 'forbidden', 'not_found', 'conflict', 'too_large', 'key_reused'] as const)('%s fails', (code) => {
    const failed = box.refused(box.started(filled('a'), 'a'), 'a', problem(code), 0, 10);
    expect(failed[0]).toMatchObject({ key: 'a', status: 'failed', reason: code });
  });

  test('no answer in time is an unknown outcome', () => {
    const again = box.refused(box.started(filled('a'), 'a'), 'a', new DeadlineExceeded(), 0, 10);
    expect(again[0]).toMatchObject({ key: 'a', status: 'queued' });
  });

  test.each([
    ['internal', 'failed'],
    ['unavailable', 'queued'],
    ['overloaded', 'queued'],
  ] as const)('%s, often enough, is %s: an outage is waited out, a stumble is not', (code, status) => {
    let o = filled('a');
    for (let i = 0; i < box.maxAttempts; i++) o = box.refused(box.started(o, 'a'), 'a', problem(code), 0, 0);
    expect(o[0]!.status).toBe(status);
  });

  test('a lost connection is no refusal: the same key goes out again', () => {
    const again = box.interrupted(box.started(filled('a'), 'a'), 'a');
    expect(again[0]).toMatchObject({ key: 'a', status: 'queued', attempts: 0 });
    expect(new ConnectionLost()).toBeInstanceOf(Error);
  });

  test('a retry by hand keeps the key and goes behind what was written since', () => {
    const failed = box.refused(box.started(filled('a', 'b'), 'a'), 'a', problem('forbidden'), 0, 0);
    const again = box.retried(failed, 'a');
    expect(status(again)).toEqual(['b queued', 'a queued']);
    expect(again[1]).not.toHaveProperty('reason');
  });

  test('only a failed send can be discarded or retried', () => {
    const o = filled('a');
    expect(box.discarded(o, 'a')).toEqual(o);
    expect(box.retried(o, 'a')).toBe(o);
    const failed = box.refused(box.started(o, 'a'), 'a', problem('forbidden'), 0, 0);
    expect(box.discarded(failed, 'a')).toEqual([]);
  });
});

describe('settling', () => {
  test('the event with the key ends a send whose ack was lost', () => {
    const flying = box.started(filled('a', 'b'), 'a');
    const settled = box.settledByEvent(flying, created(9, { sender_id: me, key: 'a' }), me);
    expect(status(settled)).toEqual(['b queued']);
  });

  test('the same key of somebody else ends nothing', () => {
    const o = filled('a');
    expect(box.settledByEvent(o, created(9, { sender_id: other, key: 'a' }), me)).toBe(o);
  });

  test('an answer after the event changes nothing', () => {
    const none = box.settledByEvent(box.started(filled('a'), 'a'), created(9, { sender_id: me, key: 'a' }), me);
    expect(box.acked(none, 'a', sent)).toEqual([]);
    expect(box.refused(none, 'a', problem('internal'), 0, 0)).toEqual([]);
  });

  test('an acknowledged send stays until the chat holds its message', () => {
    const done = box.acked(box.started(filled('a'), 'a'), 'a', sent);
    expect(box.settledByCursor(done, () => 8)).toBe(done);
    expect(box.settledByCursor(done, () => 9)).toEqual([]);
    expect(box.settledByCursor(done, () => undefined)).toEqual([]);
  });
});
