import { sentence, ProblemError, type ChatState, type Rest, type SearchHit } from '../client';

/** What the search box offers: a message that was found, or a chat. */
export interface Found {
  readonly key: string;
  readonly chat: ChatState | undefined;
  readonly hit?: SearchHit;
}

const pauseMs = 150;
const pageSize = 20;
/** An index that is further behind than this is worth a word. */
const lagToldMs = 5_000;

/** A search as it is typed: waits for a pause, forgets answers that were overtaken, reads on by pages. */
export class Search {
  query = $state('');
  hits = $state.raw<readonly SearchHit[]>([]);
  total = $state(0);
  phase = $state<'empty' | 'searching' | 'done' | 'unavailable' | 'failed'>('empty');
  /** What the server said of a query that it did not take. */
  reason = $state('');
  lagging = $state(false);
  private turn = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly rest: Pick<Rest, 'search'>) {}

  get more(): boolean {
    return this.phase === 'done' && this.hits.length < this.total;
  }

  /** The text changed. */
  type(query: string): void {
    this.query = query;
    this.stop();
    if (query.trim() === '') return this.clear();
    this.phase = 'searching';
    this.timer = setTimeout(() => void this.read(0), pauseMs);
  }

  /** The same again, after an error. */
  again(): void {
    this.stop();
    this.phase = 'searching';
    void this.read(0);
  }

  /** The next page of results. */
  next(): void {
    if (this.more) void this.read(this.hits.length);
  }

  /** Whatever is under way is of no interest any more. */
  stop(): void {
    this.turn++;
    clearTimeout(this.timer);
  }

  private clear(): void {
    this.hits = [];
    this.total = 0;
    this.phase = 'empty';
  }

  private async read(offset: number): Promise<void> {
    const turn = ++this.turn;
    try {
      const page = await this.rest.search(this.query.trim(), { offset, limit: pageSize });
      if (turn !== this.turn) return;
      this.hits = offset === 0 ? page.hits : [...this.hits, ...page.hits];
      // A page that brings nothing is the last, whatever the total says.
      this.total = page.hits.length === 0 ? this.hits.length : page.total;
      this.lagging = page.lag_ms > lagToldMs;
      this.phase = 'done';
    } catch (err) {
      if (turn === this.turn) this.fail(err);
    }
  }

  private fail(err: unknown): void {
    const refused = err instanceof ProblemError && err.code === 'bad_request';
    this.phase = refused ? 'failed' : 'unavailable';
    this.reason = refused ? sentence(err) : '';
    this.hits = [];
    this.total = 0;
  }
}
