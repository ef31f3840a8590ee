import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { applyEvent } from '../src/client/apply';
import { putNewest } from '../src/client/history';
import { emptyState, fromEntry, withChat } from '../src/client/state';
import type { ChatEvent, EventOp, KnownEvent } from '../src/client/types';
import { entry } from './make';

/** The server writes these files; the client must understand them as they are. */
const folder = new URL('../../chat/testdata/events/', import.meta.url);

const ops: Record<EventOp, true> = {
  'chat.created': true,
  'chat.updated': true,
  'member.added': true,
  'member.updated': true,
  'member.removed': true,
  'message.created': true,
  'message.edited': true,
  'message.deleted': true,
  'reaction.added': true,
  'reaction.removed': true,
};

function load(): KnownEvent[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  const events = names.map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as KnownEvent);
  return events.filter((e) => e.chat_id && e.seq && e.ts).sort((a, b) => a.seq - b.seq);
}

const events = load();

test('there is a golden event for every op', () => {
  expect(new Set(events.map((e) => e.op))).toEqual(new Set(Object.keys(ops)));
});

describe.each(events)('$op', (event) => {
  test('has the envelope and the fields that the fold uses', () => {
    expect(event).toMatchObject({ chat_id: expect.any(String), seq: expect.any(Number), actor_id: expect.any(String) });
    expect(event.ts).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(event.d).toMatchObject(fields(event.op));
  });
});

function fields(op: EventOp): object {
  const text = expect.any(String);
  const number = expect.any(Number);
  const file = { id: text, name: text, media_type: text, size: number, sha256: text, width: number, height: number, thumb: true, created_at: text, uploaded_by: text };
  const about = { message_id: text, message_seq: number };
  switch (op) {
    case 'chat.created':
    case 'chat.updated':
      return { id: text, kind: text, name: text, topic: text, created_by: text, created_at: text, archived: expect.any(Boolean) };
    case 'member.added':
    case 'member.updated':
      return { user_id: text, role: text, by: text };
    case 'member.removed':
      return { user_id: text, by: text };
    case 'message.created':
      return { id: text, chat_id: text, seq: number, sender_id: text, body: text, mentions: expect.any(Array), reactions: [], version: number, created_at: text, key: text, attachments: [file] };
    case 'message.edited':
      return { ...about, body: text, mentions: expect.any(Array), version: number, edited_at: text };
    case 'message.deleted':
      return { ...about, version: number, deleted_at: text };
    case 'reaction.added':
    case 'reaction.removed':
      return { ...about, user_id: text, emoji: text };
  }
}

test('folding them in order gives the state they describe', () => {
  const created = events.find((e) => e.op === 'message.created')!;
  const { chat_id } = created;
  const start = events[0]!.seq - 1;
  const held = fromEntry(entry({ id: chat_id, kind: 'public', member_count: 0, member_ids: undefined, last_seq: start }));
  const open = putNewest(withChat(emptyState('reader'), chat_id, held), chat_id, {
    messages: [],
    has_more: false,
    last_seq: start,
    epoch: '',
  }).state;

  const state = filled(events).reduce(applyEvent, open);
  const chat = state.chats.get(chat_id)!;
  expect(chat.cursor).toBe(events.at(-1)!.seq);
  expect(chat.ahead).toEqual([]);
  expect(chat.entry).toMatchObject(expected());
  const line = chat.history!.lines.find(({ message }) => message.id === created.d.id)!;
  expect(line.message).toMatchObject({ body: '', deleted_at: expect.any(String), reactions: [] });
  expect(line.message).not.toHaveProperty('key');
  expect(line.message.attachments).toBeUndefined();
});

/** The expected names, counts and roles in the end, from the last event of each kind. */
function expected() {
  const last = (op: EventOp) => events.findLast((e) => e.op === op)!.d as { name: string; topic: string };
  const added = events.filter((e) => e.op === 'member.added').length;
  const removed = events.filter((e) => e.op === 'member.removed').length;
  const { name, topic } = last('chat.updated');
  return { name, topic, member_count: Math.max(0, added - removed), unread: 1 };
}

/** Fills the seqs between golden events with unknown ops, which only advance the cursor. */
function filled(list: readonly KnownEvent[]): ChatEvent[] {
  return list.flatMap((e, i) => {
    const from = i === 0 ? e.seq : list[i - 1]!.seq + 1;
    const gap = Array.from({ length: e.seq - from }, (_, n) => ({ ...e, op: 'x-later.op' as const, seq: from + n, d: {} }));
    return [...gap, e];
  });
}
