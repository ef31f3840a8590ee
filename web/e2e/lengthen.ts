import type { Route } from 'playwright-core';
import type { Person } from './person.ts';

interface Listed {
  readonly epoch: string;
  readonly chats: readonly { readonly id: string; readonly last_seq: number }[];
}

/**
 * Answers a person's reads of history as if `messages` messages came before what the chat holds
 * now. The last of them is `line <messages>`; their seqs end where the stream is, so that new
 * messages follow them.
 */
export async function lengthen(person: Person, chat_id: string, sender_id: string, messages: number): Promise<void> {
  const { epoch, chats } = await person.api<Listed>('GET', '/chats');
  const last_seq = chats.find(({ id }) => id === chat_id)!.last_seq;
  const shift = messages - last_seq;
  await person.context.route(`**/api/v1/chats/${chat_id}/messages?*`, async (route: Route) => {
    const { searchParams } = new URL(route.request().url());
    const end = Math.min(Number(searchParams.get('before_seq') ?? Infinity) + shift, messages + 1);
    const from = Math.max(1, end - 10_000);
    const made = Array.from({ length: end - from }, (_, i) => message(chat_id, sender_id, from + i, shift));
    await route.fulfill({ json: { messages: made, has_more: from > 1, last_seq, epoch } });
  });
}

function message(chat_id: string, sender_id: string, n: number, shift: number) {
  const body = n % 7 === 0 ? `**${n}** ${'words '.repeat(n % 60)}` : `line ${n}`;
  const created_at = new Date(Date.UTC(2020, 0, 1) + n * 60_000).toISOString();
  return { id: `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`, chat_id, seq: n - shift, sender_id, body, mentions: [], reactions: [], version: 1, created_at };
}

/** Loads everything in a chat, as by turning the wheel upward. */
export async function readAll(person: Person): Promise<void> {
  await person.get('messages').evaluate(async (el) => {
    const frame = () => new Promise(requestAnimationFrame);
    const reached = () => !!document.querySelector('[data-message="00000000-0000-7000-8000-000000000001"]');
    for (let i = 0; i < 3_000 && !reached(); i++) {
      el.scrollTop = 0;
      await frame();
    }
  });
}
