import type { Route } from 'playwright-core';
import { expect, test } from 'vitest';
import type { Person } from './person.ts';
import { patience, stage } from './stage.ts';

/** A chat of a hundred thousand messages is no heavier than one of a hundred. */

const { talk } = stage();
const messages = 100_000;
const mostRows = 150;

/** Answers history as a server with that many messages would, for a chat whose true history is short. */
async function lengthen(person: Person, chat_id: string, sender_id: string): Promise<void> {
  await person.context.route(/\/api\/v1\/chats\/[^/]+\/messages\?/, async (route: Route) => {
    const { searchParams } = new URL(route.request().url());
    const number = (name: string, otherwise: number) => Number(searchParams.get(name) ?? otherwise);
    const around = searchParams.has('around_seq') ? number('around_seq', 0) + 2_500 : messages + 1;
    const end = Math.min(number('before_seq', around), messages + 1);
    const limit = searchParams.has('around_seq') ? 5_000 : 10_000;
    const from = Math.max(1, end - limit);
    const made = Array.from({ length: end - from }, (_, i) => message(chat_id, sender_id, from + i));
    await route.fulfill({ json: { messages: made, has_more: from > 1, has_before: from > 1, has_after: end <= messages, last_seq: messages, epoch } });
  });
  const { epoch } = await person.api<{ epoch: string }>('GET', '/chats');
}

function message(chat_id: string, sender_id: string, seq: number) {
  const body = seq % 7 === 0 ? `**${seq}** ${'words '.repeat(seq % 60)}` : `line ${seq}`;
  const created_at = new Date(Date.UTC(2020, 0, 1) + seq * 60_000).toISOString();
  return { id: `00000000-0000-7000-8000-${String(seq).padStart(12, '0')}`, chat_id, seq, sender_id, body, mentions: [], reactions: [], version: 1, created_at };
}

test('a hundred thousand messages are scrolled through with few of them drawn', async () => {
  const [ada, bob] = await talk();
  const id = await bob.chatId();
  const me = await ada.api<{ id: string }>('GET', '/me');
  await lengthen(bob, id, me.id);
  await bob.page.reload();
  await bob.online();
  const list = bob.get('messages');
  await expect.poll(async () => (await bob.bodies()).at(-1), patience).toBe(`line ${messages}`);

  // All of them are read, a page at a time, as by somebody who holds the wheel.
  await list.evaluate(async (el) => {
    const frame = () => new Promise(requestAnimationFrame);
    const reached = () => !!document.querySelector('[data-seq="1"]');
    for (let i = 0; i < 3_000 && !reached(); i++) {
      el.scrollTop = 0;
      await frame();
    }
  });
  await expect.poll(async () => (await bob.bodies())[0], patience).toBe('line 1');
  expect(await bob.get('message').count()).toBeLessThan(mostRows);

  // Through the middle of it all, every frame shows something and draws little.
  const drawn = await list.evaluate(async (el) => {
    const counts: number[] = [];
    for (let i = 0; i < 60; i++) {
      el.scrollTop += 900;
      await new Promise(requestAnimationFrame);
      counts.push(el.querySelectorAll('[data-message]').length);
    }
    return [Math.min(...counts), Math.max(...counts)];
  });
  expect(drawn[0]).toBeGreaterThan(5);
  expect(drawn[1]).toBeLessThan(mostRows);

  await bob.get('to-latest').click();
  await expect.poll(async () => (await bob.bodies()).at(-1), patience).toBe(`line ${messages}`);
});
