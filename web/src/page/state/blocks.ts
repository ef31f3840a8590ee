import type { ChatEvent, Client, User } from '../../client';
import { withChat } from '../../client/state';

/**
 * Whom the user has blocked, beside a client. Read on each connection, because the
 * pushes of what happened meanwhile are gone. With a server that does not support blocks, nobody.
 */
export class Blocks {
  readonly #client: Client;
  readonly #ends: (() => void)[];
  readonly #onChange: (blocked: ReadonlySet<string>) => void;
  #blocked: ReadonlySet<string> = new Set();
  /** Counts the changes, to notice one that overtook an answer. */
  #changes = 0;
  #stopped = false;

  /** Calls `onChange` whenever the set of blocked users changes, until `stop`. */
  constructor(client: Client, onChange: (blocked: ReadonlySet<string>) => void) {
    this.#client = client;
    this.#onChange = onChange;
    this.#ends = [
      client.on('block.added', ({ d }) => this.#put(d.user_id, true)),
      client.on('block.removed', ({ d }) => this.#put(d.user_id, false)),
      client.on('connection', ({ phase }) => phase === 'online' && void this.#load()),
      client.on('event', (event) => this.#uncount(event)),
    ];
  }

  stop(): void {
    this.#stopped = true;
    for (const end of this.#ends) end();
  }

  /** Blocks a user or ends that, on all devices. Rejects if the server refuses. */
  async set(user: string, on: boolean): Promise<void> {
    await this.#client.rest.call(on ? 'PUT' : 'DELETE', `/me/blocks/${user}`);
    this.#put(user, on);
  }

  #put(user: string, on: boolean): void {
    this.#changes++;
    const blocked = new Set(this.#blocked);
    if (on) blocked.add(user);
    else blocked.delete(user);
    this.#show(blocked);
  }

  /** Reads the list. The next connection makes up for a failed attempt. */
  async #load(): Promise<void> {
    const before = ++this.#changes;
    const users = await this.#read().catch(() => null);
    if (!users) return;
    if (before !== this.#changes) return this.#load();
    this.#client.directory.learn(users);
    this.#show(new Set(users.map(({ id }) => id)));
  }

  #show(blocked: ReadonlySet<string>): void {
    this.#blocked = blocked;
    if (!this.#stopped) this.#onChange(blocked);
  }

  async #read(): Promise<User[]> {
    const all: User[] = [];
    let after: string | undefined;
    do {
      const query = { limit: 200, after };
      const { users, next } = await this.#client.rest.call<{ users: User[]; next?: string }>('GET', '/me/blocks', { query });
      all.push(...users);
      after = next;
    } while (after);
    return all;
  }

  /** Has a chat's counts read again after a blocked user mentioned somebody: that does not count. */
  #uncount({ op, chat_id, actor_id, d }: ChatEvent): void {
    const { state } = this.#client.store.get();
    const chat = state.chats.get(chat_id);
    const { mentions, mentions_all } = d as { mentions?: readonly string[]; mentions_all?: boolean };
    if (!chat || !op.startsWith('message.') || !this.#blocked.has(actor_id) || !(mentions_all || mentions?.includes(state.me))) return;
    this.#client.store.set({ state: withChat(state, chat_id, { ...chat, entryStale: true }) });
    this.#client.adopt(chat.entry);
  }
}
