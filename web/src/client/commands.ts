import { refusal } from './errors';
import type { Rest } from './rest';
import type { Cursor, Message, PresenceState, Sent } from './types';

/** What each command carries. */
interface CommandData {
  'message.send': { chat_id: string; key: string; body: string; reply_to?: string; attachments?: string[] };
  'message.edit': { message_id: string; body: string; version: number };
  'message.delete': { message_id: string };
  'reaction.add': { message_id: string; emoji: string };
  'reaction.remove': { message_id: string; emoji: string };
  'cursor.set': Partial<Cursor> & { chat_id: string };
  'typing.set': { chat_id: string; typing: boolean };
  'presence.set': { state: PresenceState };
  'presence.watch': { user_ids: string[] };
}

type Commands = { [Op in keyof CommandData]: (rest: Rest, d: CommandData[Op]) => Promise<unknown> };

/** The socket's commands over REST, with the same answers. */
const commands: Commands = {
  'message.send': async (rest, { chat_id, key, ...d }) => sentOf(await rest.send(chat_id, key, d)),
  'message.edit': async (rest, { message_id, body, version }) => rest.edit(message_id, { body, version }),
  'message.delete': (rest, { message_id }) => rest.remove(message_id),
  'reaction.add': (rest, { message_id, emoji }) => rest.react(message_id, emoji, true),
  'reaction.remove': (rest, { message_id, emoji }) => rest.react(message_id, emoji, false),
  'cursor.set': (rest, { chat_id, ...cursor }) => rest.setCursor(chat_id, cursor),
  'typing.set': (rest, { chat_id, typing }) => rest.typing(chat_id, typing),
  'presence.set': (rest, { state }) => rest.setPresence(state),
  'presence.watch': (rest, { user_ids }) => rest.presence(user_ids),
};

/** Runs a command over REST. Refuses one that REST lacks as a server refuses an unknown op. */
export function runByRest(rest: Rest, op: string, d: unknown): Promise<unknown> {
  const command = commands[op as keyof Commands] as ((rest: Rest, d: unknown) => Promise<unknown>) | undefined;
  if (command) return command(rest, d);
  if (op === 'ping') return Promise.resolve({});
  return Promise.reject(refusal(400, 'bad_request', `Unknown command: ${op}.`));
}

/** REST answers with the message; only a removed sender's replay is a `Sent` already. */
function sentOf(answer: Message | Sent): Sent {
  if ('message_id' in answer) return answer;
  return { message_id: answer.id, seq: answer.seq, ts: answer.created_at, replayed: false };
}
