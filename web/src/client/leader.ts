import type { Connection, Link, LinkOwner, SharedOwner } from './link';
import { failed, type FollowerNote, type LeaderNote } from './notes';
import type { Outbox } from './outbox';
import type { Cursor, Hello } from './types';

const answerMs = 10_000;
const watchable = 500;

/** The window that holds the connection: passes on what arrives and does what the others ask. */
export class Leader {
  readonly link: Link;
  readonly #me: string;
  readonly #owner: SharedOwner;
  readonly #say: (note: LeaderNote) => void;
  /** Calls `gone` when that window closes. */
  readonly #mourn: (window: string, gone: () => void) => void;
  readonly #watching = new Map<string, string[]>();
  #hello: Hello | null = null;
  #epoch = '';
  #items: Outbox = [];
  #connection: Connection = { phase: 'connecting' };

  constructor(
    me: string,
    connect: (owner: LinkOwner) => Link,
    owner: SharedOwner,
    say: (note: LeaderNote) => void,
    mourn: (window: string, gone: () => void) => void,
  ) {
    this.#me = me;
    this.#owner = owner;
    this.#say = say;
    this.#mourn = mourn;
    this.link = connect(this.#passing());
  }

  start(): void {
    this.#say({ is: 'lead' });
    this.#owner.lead();
    this.link.start();
  }

  outbox(items: Outbox): void {
    this.#items = items;
    this.#say({ is: 'outbox', items });
  }

  receive(note: FollowerNote): void {
    const [hello, epoch, connection, items] = [this.#hello, this.#epoch, this.#connection, this.#items];
    if (note.is === 'join') this.#say({ is: 'welcome', to: note.from, hello, epoch, connection, items });
    else if (note.is === 'order') this.#owner.order(note.order);
    else if (note.is === 'wake') this.link[note.how]();
    else void this.#answer(note);
  }

  /** Runs a command for any window over the one connection. */
  async request(from: string, op: string, d: unknown, deadlineMs = answerMs): Promise<unknown> {
    const data = op === 'presence.watch' ? { user_ids: this.#watched(from, (d as { user_ids: string[] }).user_ids) } : d;
    const answer = await this.link.request(op, data, deadlineMs);
    if (op === 'cursor.set') this.#moved((d as { chat_id: string }).chat_id, answer as Cursor);
    return answer;
  }

  async #answer({ from, id, op, d }: Extract<FollowerNote, { is: 'request' }>): Promise<void> {
    const answer = { is: 'answer', to: from, id } as const;
    try {
      this.#say({ ...answer, d: await this.request(from, op, d) });
    } catch (err) {
      this.#say({ ...answer, failed: failed(err) });
    }
  }

  /** An owner that passes everything to all other windows as well. */
  #passing(): LinkOwner {
    const owner = this.#owner;
    return {
      hello: (hello, replays) => {
        this.#hello = hello;
        this.#say({ is: 'hello', hello });
        return owner.hello(hello, replays);
      },
      push: (push) => {
        this.#say({ is: 'push', push });
        owner.push(push);
      },
      event: (event) => {
        this.#say({ is: 'event', event });
        owner.event(event);
      },
      ready: (epoch) => {
        this.#epoch = epoch;
        this.#say({ is: 'ready', epoch });
        owner.ready(epoch);
      },
      connection: (connection) => {
        this.#connection = connection;
        this.#say({ is: 'connection', connection });
        owner.connection(connection);
      },
    };
  }

  /** Merges the windows' lists, since a connection watches one. Drops those of closed windows. */
  #watched(from: string, ids: string[]): string[] {
    if (from !== this.#me && !this.#watching.has(from)) this.#mourn(from, () => this.#watching.delete(from));
    this.#watching.set(from, ids);
    return [...new Set([...ids, ...[...this.#watching.values()].flat()])].slice(0, watchable);
  }

  /** Tells all windows of the moved cursor, which the server does not push to this connection. */
  #moved(chat_id: string, cursor: Cursor): void {
    if (this.#hello) this.#passing().push({ op: 'cursor', chat_id, d: { user_id: this.#hello.user_id, ...cursor } });
  }
}
