import { Client, Rest, type ClientOptions, type User } from '../src/client';
import type { FakeServer } from './fake';

/** The user, their client, the chat on screen, and what tests look at. */

export const user: User = { id: 'me', username: 'me', display_name: 'Me', created_at: '' };
export const id = 'chat-1';

/** A client of the server, not started. */
export function clientOf(server: FakeServer, options: Partial<ClientOptions> = {}): Client {
  return new Client({ user, socketUrl: 'ws://server/ws', rest: new Rest('', '', server.fetch), random: () => 0.5, ...options });
}

/** Random numbers from 0 to 1 that depend on the seed alone. */
export function generator(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const bodies = (client: Client) => client.store.get().state.chats.get(id)!.history!.lines.map(({ message }) => message.body);
export const outbox = (client: Client) => client.store.get().outbox.map((p) => `${p.body} ${p.status}`);
export const phase = (client: Client) => client.store.get().connection.phase;
export const stored = (server: FakeServer) => [...server.chat().messages.values()].map((m) => m.body);
export const commands = (server: FakeServer, op: string) => server.received.filter((c) => c['op'] === op);
