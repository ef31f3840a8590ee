import { ConnectionLost, DeadlineExceeded } from './errors';

interface Waiting {
  resolve(d: unknown): void;
  reject(err: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

/** Pending answers by the id of their request. Each arrives once or meets its deadline. */
export class Answers {
  readonly #waiting = new Map<string, Waiting>();
  #lastId = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** Sends a request through `say` and resolves with its answer. */
  to<T>(say: (id: string) => void, deadlineMs: number): Promise<T> {
    const id = `c${++this.#lastId}`;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => this.claim(id)?.reject(new DeadlineExceeded()), deadlineMs);
      this.#waiting.set(id, { resolve: resolve as (d: unknown) => void, reject, timer });
      say(id);
    });
  }

  /** Removes and returns whoever waits for that answer; undefined if it is late or unasked for. */
  claim(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting) clearTimeout(waiting.timer);
    this.#waiting.delete(id);
    return waiting;
  }

  /** Rejects every pending answer: the connection is gone. */
  lose(): void {
    for (const id of [...this.#waiting.keys()]) this.claim(id)?.reject(new ConnectionLost());
  }
}
