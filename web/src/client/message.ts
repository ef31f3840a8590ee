import type { ChatEvent, KnownEvent, Message, Reaction } from './types';

/** Folds events into one message. Pure. */

const namedUsers = 20;

/** Reports whether a message mentions this user, by name or with `@all`. */
export function mentionsUser(message: Pick<Message, 'mentions' | 'mentions_all'>, user: string): boolean {
  return message.mentions_all === true || message.mentions.includes(user);
}

/** The message of a `message.created`, without the sender's key. */
export function createdMessage(event: Extract<KnownEvent, { op: 'message.created' }>): Message {
  const { key: _key, ...message } = event.d;
  return message;
}

/** The seq of the message an event is about; 0 if it is about none. */
export function aboutMessage(event: ChatEvent): number {
  return (event.d as { message_seq?: number } | undefined)?.message_seq ?? 0;
}

/** The message after the event. Content of an older version is ignored. */
export function foldMessage(message: Message, event: ChatEvent, me: string): Message {
  const known = event as KnownEvent;
  switch (known.op) {
    case 'message.edited': {
      const { body, mentions, mentions_all = false, version, edited_at } = known.d;
      if (version < message.version || message.deleted_at) return message;
      return { ...message, body, mentions, mentions_all, version, edited_at };
    }
    case 'message.deleted': {
      const { version, deleted_at } = known.d;
      if (version < message.version) return message;
      return { ...message, body: '', mentions: [], mentions_all: false, attachments: undefined, version, deleted_at };
    }
    case 'reaction.added':
      return { ...message, reactions: addReaction(message.reactions, known.d.emoji, known.d.user_id, me) };
    case 'reaction.removed':
      return { ...message, reactions: removeReaction(message.reactions, known.d.emoji, known.d.user_id, me) };
    default:
      return message;
  }
}

function addReaction(reactions: readonly Reaction[], emoji: string, user: string, me: string): Reaction[] {
  const found = reactions.find((r) => r.emoji === emoji);
  if (!found) return [...reactions, { emoji, count: 1, user_ids: [user], me: user === me }];
  if (found.user_ids.includes(user)) return [...reactions];
  const user_ids = found.user_ids.length < namedUsers ? [...found.user_ids, user] : found.user_ids;
  return reactions.map((r) =>
    r === found ? { emoji, count: r.count + 1, user_ids, me: isMine(r, me) || user === me } : r,
  );
}

function removeReaction(reactions: readonly Reaction[], emoji: string, user: string, me: string): Reaction[] {
  return reactions.flatMap((r) => {
    if (r.emoji !== emoji) return [r];
    if (r.count <= 1) return [];
    const user_ids = r.user_ids.filter((id) => id !== user);
    return [{ emoji, count: r.count - 1, user_ids, me: user !== me && isMine(r, me) }];
  });
}

/** Reports whether this user reacted: REST answers state it, live events name the users. */
export function isMine(reaction: Reaction, me: string): boolean {
  return reaction.me ?? reaction.user_ids.includes(me);
}
