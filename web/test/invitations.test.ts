import { expect, test } from 'vitest';
import type { Rest } from '../src/client';
import { isOfChat } from '../src/page/state/administration';
import { isOpen, ownInvitations, suggested, type Invitation } from '../src/page/state/invitations';
import { mayInvite, type Workspace } from '../src/page/state/workspace';

/** Who may invite, to which chats, and which invitations still let somebody in. */

const now = Date.parse('2026-03-01T12:00:00.000Z');
const made = (d: Partial<Invitation>): Invitation => ({ id: 'i', created_by: 'me', created_at: '', expires_at: '2026-03-02T00:00:00.000Z', uses: 0, max_uses: 1, chat_ids: [], ...d });
const workspace = (d: Partial<Workspace>): Workspace => ({ name: 'Acme', setup: false, registration: 'invite', invitations: 'everyone', ...d });

test.each([
  [workspace({}), false, true],
  [workspace({ registration: 'open' }), false, true],
  [workspace({ invitations: 'administrators' }), false, false],
  [workspace({ invitations: 'administrators' }), true, true],
  [workspace({ registration: 'closed' }), true, false],
  [{ name: 'An older server', setup: false }, true, false],
  [null, true, false],
])('%j: an administrator, %s, may invite: %s', (said, administrator, may) => {
  expect(mayInvite(said, administrator)).toBe(may);
});

test('an invitation lets nobody in once it is used up or over', () => {
  expect(isOpen(made({ uses: 9, max_uses: 10 }), now)).toBe(true);
  expect(isOpen(made({ uses: 10, max_uses: 10 }), now)).toBe(false);
  expect(isOpen(made({ expires_at: '2026-03-01T12:00:00.000Z' }), now)).toBe(false);
});

test('one’s own invitations are found among everybody’s, on all pages', async () => {
  const pages: Record<string, { invitations: Invitation[]; next?: string }> = {
    '': { invitations: [made({ id: '1' }), made({ id: '2', created_by: 'bob' })], next: 'a' },
    a: { invitations: [made({ id: '3', uses: 1 }), made({ id: '4' })] },
  };
  const rest = { call: async (_: string, __: string, { query }: { query: { after?: string } }) => pages[query.after ?? ''] } as unknown as Rest;
  expect((await ownInvitations(rest, 'me', now)).map(({ id }) => id)).toEqual(['1', '4']);
});

test('an invitation leads to the chat that it was begun in, else to the public one of most people', () => {
  const chats = [
    { id: 'tea', kind: 'group', member_count: 90 },
    { id: 'random', kind: 'public', member_count: 3 },
    { id: 'general', kind: 'public', member_count: 8 },
  ];
  expect(suggested(chats, 'tea')).toEqual(['tea']);
  expect(suggested(chats, '')).toEqual(['general']);
  expect(suggested(chats, 'a direct chat')).toEqual(['general']);
  expect(suggested(chats.slice(0, 1), '')).toEqual([]);
  expect(chats.map(({ id }) => id)).toEqual(['tea', 'random', 'general']);
});

test('acts on chats name a chat, all others a user', () => {
  const act = (action: string) => isOfChat({ id: '', at: '', actor: '', action, subject: '', detail: '' });
  expect(['chat.deleted', 'retention.set', 'user.suspended', 'workspace.changed'].map(act)).toEqual([true, true, false, false]);
});
