import type { Rest } from '../../client';

/** An invitation as its maker and administrators see it: its code is shown once, by `Made`. */
export interface Invitation {
  readonly id: string;
  readonly created_by: string;
  readonly created_at: string;
  readonly expires_at: string;
  readonly uses: number;
  readonly max_uses: number;
  readonly chat_ids: readonly string[];
  readonly email?: string;
}

export interface Made extends Invitation {
  readonly url: string;
}

export interface NewInvitation {
  readonly chat_ids: readonly string[];
  readonly max_uses: number;
  readonly expires_in_s: number;
  readonly email?: string;
}

/** The most chats that an invitation leads to. */
export const mostChats = 20;

const atOnce = 200;
/** Nobody has more open invitations than one page holds, but an administrator sees everybody's. */
const mostPages = 20;

export const makeInvitation = (rest: Rest, d: NewInvitation): Promise<Made> => rest.call('POST', '/invitations', { body: d });
export const withdraw = (rest: Rest, id: string): Promise<void> => rest.call('DELETE', `/invitations/${id}`);
export const listInvitations = (rest: Rest, after?: string): Promise<{ invitations: Invitation[]; next?: string }> =>
  rest.call('GET', '/invitations', { query: { after, limit: atOnce } });

/** Reports whether an invitation still lets somebody in. */
export const isOpen = ({ uses, max_uses, expires_at }: Invitation, now: number): boolean => uses < max_uses && Date.parse(expires_at) > now;

/** A user's own invitations that still let somebody in, newest first. */
export async function ownInvitations(rest: Rest, userId: string, now = Date.now()): Promise<Invitation[]> {
  const own: Invitation[] = [];
  let after: string | undefined;
  for (let i = 0; i < mostPages; i++) {
    const { invitations, next } = await listInvitations(rest, after);
    own.push(...invitations.filter((one) => one.created_by === userId && isOpen(one, now)));
    if (!next) break;
    after = next;
  }
  return own;
}

interface Offered {
  readonly id: string;
  readonly kind: string;
  readonly member_count: number;
}

/**
 * The chats that an invitation leads to unless something else is chosen: the one that it was
 * begun in, else the public one with the most members.
 */
export function suggested(chats: readonly Offered[], from: string): string[] {
  if (chats.some(({ id }) => id === from)) return [from];
  const [first] = chats.filter(({ kind }) => kind === 'public').toSorted((a, b) => b.member_count - a.member_count);
  return first ? [first.id] : [];
}
