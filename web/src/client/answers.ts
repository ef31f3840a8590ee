import { ConnectionLost, DeadlineExceeded } from './errors';

interface Waiting {
  resolve(d: unknown): void;
  reject(err: Error): void;
  timer: ReturnType<typeof setTimeout>;
}

/** Answers that are waited for, by the id of their request. Each comes once, or the deadline does. */
export class Answers {
  readonly #waiting = new Map<string, Waiting>();
  #lastId = 0;

  get size(): number {
    return this.#waiting.size;
  }

  /** Sends a request by `say` and gives its answer. */
  to<T>(say: (id: string) => void, deadlineMs: number): Promise<T> {
    const id = `c${++this.#lastId}`;
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => this.settle(id)?.reject(new DeadlineExceeded()), deadlineMs);
      this.#waiting.set(id, { resolve: resolve as (d: unknown) => void, reject, timer });
      say(id);
    });
  }

  /** The one who waits for that answer; nobody when it is late or unasked. */
  settle(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting) clearTimeout(waiting.timer);
    this.#waiting.delete(id);
    return waiting;
  }

  /** No answer will come any more. */
  lose(): void {
    for (const id of [...this.#waiting.keys()]) this.settle(id)?.reject(new ConnectionLost());
  }
}
