import { sentence, ProblemError, type ChatState, type PublicChat, type Rest, type SearchHit, type User } from '../../client';

/** An option in the search box: a chat, a person, a channel to join, or a found message. */
export interface Found {
  readonly key: string;
  readonly chat: ChatState | undefined;
  readonly hit?: SearchHit;
  readonly user?: User;
  readonly channel?: PublicChat;
}

const pauseMs = 150;
const pageSize = 20;
/** How far the index may be behind before the user is told. */
const lagToldMs = 5_000;

/** The browser’s time zone, whose days filters count; undefined if it has no IANA name. */
function zone(): string | undefined {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return /^[A-Z]/i.test(timeZone) && timeZone !== 'Etc/Unknown' ? timeZone : undefined;
}

/** Search as you type: waits for a pause, drops overtaken answers, and reads on in pages. */
export class Search {
  query = $state('');
  /** The only chat to search; '' for all. */
  chatId = $state('');
  hits = $state.raw<readonly SearchHit[]>([]);
  total = $state(0);
  phase = $state<'empty' | 'searching' | 'done' | 'unavailable' | 'failed'>('empty');
  /** Why the server refused the query. */
  reason = $state('');
  lagging = $state(false);
  private turn = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly rest: Pick<Rest, 'search'>, chatId = '') {
    this.chatId = chatId;
  }

  get more(): boolean {
    return this.phase === 'done' && this.hits.length < this.total;
  }

  /** Call when the text changed. */
  type(query: string): void {
    this.query = query;
    this.stop();
    if (query.trim() === '') return this.clear();
    this.phase = 'searching';
    this.timer = setTimeout(() => void this.read(0), pauseMs);
  }

  /** Searches all chats for the same text. */
  widen(): void {
    this.chatId = '';
    this.type(this.query);
  }

  /** Repeats the search after an error. */
  again(): void {
    this.stop();
    this.phase = 'searching';
    void this.read(0);
  }

  /** Reads the next page of results. */
  next(): void {
    if (this.more) void this.read(this.hits.length);
  }

  /** Abandons whatever is in progress. */
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
      const page = await this.rest.search(this.query.trim(), { chat_id: this.chatId || undefined, tz: zone(), offset, limit: pageSize });
      if (turn !== this.turn) return;
      this.hits = offset === 0 ? page.hits : [...this.hits, ...page.hits];
      // An empty page is the last, whatever the total says.
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
