import { ProblemError } from './errors';
import type { Link } from './link';

/** Commands that an older server may not know: one refused as unknown is not sent again to it. */
export class Optional {
  readonly #link: Link;
  readonly #unknown = new Set<string>();

  constructor(link: Link) {
    this.#link = link;
  }

  /** Starts over on a new connection, whose server may know more. */
  ready(): void {
    this.#unknown.clear();
  }

  /** Resolves with the answer, or null if the command cannot be sent or is unknown. */
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

  /** Sends a command whose answer does not matter. */
  tell(op: string, d: unknown): void {
    // What is lost is sent again soon, or no longer matters.
    this.request(op, d).catch(() => {});
  }
}
