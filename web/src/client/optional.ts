import { ProblemError } from './errors';
import type { Link } from './link';

/**
 * Commands that nobody waits for and that an older server may not know. One that is refused as unknown is
 * not sent again on that connection.
 */
export class Optional {
  readonly #link: Link;
  readonly #unknown = new Set<string>();

  constructor(link: Link) {
    this.#link = link;
  }

  /** There is a new connection, perhaps to a server that knows more. */
  ready(): void {
    this.#unknown.clear();
  }

  /** Gives the answer, or null when the command cannot be sent or is not known. Rejects otherwise. */
  async request<T>(op: string, d: unknown): Promise<T | null> {
    if (!this.#link.online || this.#unknown.has(op)) return null;
    try {
      return await this.#link.request<T>(op, d);
    } catch (err) {
      if (!(err instanceof ProblemError && err.code === 'bad_request')) throw err;
      this.#unknown.add(op);
      return null;
    }
  }

  /** Sends a command whose answer says nothing. */
  tell(op: string, d: unknown): void {
    // What gets lost is said again soon, or does not matter any more.
    this.request(op, d).catch(() => {});
  }
}
