import { ConnectionLost, DeadlineExceeded, isPassing, ProblemError, type Rest } from './index';
import type { File } from './types';

/** What is at most this large goes with one request. */
const smallBytes = 256 << 10;
/** A part takes about a second, within these bounds. */
const [leastPart, firstPart, mostPart] = [256 << 10, 1 << 20, 16 << 20];
const [quickMs, slowMs] = [700, 3_000];
/** How long an answer may take: a part is small enough for a slow line. */
const answerMs = 60_000;
const [baseMs, capMs] = [500, 15_000];
/** Attempts in a row that bring nothing forward, where the server has more to say than that it is busy. */
const mostAttempts = 6;

/** The reason of an abort that leaves at the server what has arrived, for a later attempt. */
export const later = 'later';

export interface UploadOptions {
  /** The file's name, for others to see. */
  name: string;
  /** Aborts it, and deletes at the server what has arrived, unless the reason is `later`. */
  signal?: AbortSignal;
  /** Where an earlier attempt left off, as `began` reported it: it goes on from there. */
  url?: string | undefined;
  /** Called with the place of the upload, to keep for a later attempt. */
  began?: (url: string) => void;
  /** Dispatches `online` when the server can be reached again: then it waits no longer. */
  wake?: EventTarget;
  /** Called with the bytes that the server has. */
  progress?: (bytes: number) => void;
}

/**
 * Uploads a file and resolves with what the server knows of it. Small ones go at once, others by
 * tus in parts; a lost connection or a restarted server is waited out, however long, and it goes on
 * from where it was. Rejects with ProblemError if the server refuses it, or if the file cannot be
 * read any more; with the signal's reason if aborted.
 */
export async function upload(rest: Rest, blob: Blob, options: UploadOptions): Promise<File> {
  const run = new Run(rest, blob, options);
  try {
    return await run.toEnd();
  } catch (err) {
    if (options.signal?.aborted && options.signal.reason !== later) run.abandon();
    throw err;
  }
}

class Run {
  readonly #rest: Rest;
  readonly #blob: Blob;
  readonly #options: UploadOptions;
  #url: string | undefined;
  #offset = 0;
  /** Whether the offset is what the server says. */
  #known = false;
  #part = firstPart;
  #attempts = 0;

  constructor(rest: Rest, blob: Blob, options: UploadOptions) {
    this.#rest = rest;
    this.#blob = blob;
    this.#options = options;
    this.#url = options.url;
  }

  async toEnd(): Promise<File> {
    const { signal, wake = globalThis } = this.#options;
    for (;;) {
      signal?.throwIfAborted();
      try {
        return await this.#attempt();
      } catch (err) {
        signal?.throwIfAborted();
        await this.#judge(err);
        await pause(Math.random() * Math.min(capMs, baseMs * 2 ** this.#attempts++) + retryAfter(err), wake, signal);
      }
    }
  }

  /** Tells the server to forget it; best effort, as it does so by itself. */
  abandon(): void {
    if (this.#url) this.#call('DELETE', this.#url, {}, undefined, AbortSignal.timeout(answerMs)).catch(() => {});
  }

  async #attempt(): Promise<File> {
    if (!this.#url && this.#blob.size <= smallBytes) return this.#whole();
    const id = await this.#parts();
    return this.#rest.call<File>('GET', `/files/${id}`);
  }

  async #whole(): Promise<File> {
    const headers = { 'Content-Type': this.#type };
    const answer = await this.#call('POST', `/files?name=${encodeURIComponent(this.#options.name)}`, headers, this.#blob);
    const file = (await answer.json().catch(() => Promise.reject(new ConnectionLost()))) as File;
    this.#options.progress?.(this.#blob.size);
    return file;
  }

  /** Sends what the server lacks, and returns the file's id. */
  async #parts(): Promise<string> {
    this.#url ??= await this.#create();
    let id = this.#known ? null : await this.#look();
    while (!id && this.#offset < this.#blob.size) id = await this.#send();
    // All is there, but the server is not done with it.
    if (!id) {
      this.#known = false;
      throw new DeadlineExceeded();
    }
    return id;
  }

  async #create(): Promise<string> {
    const metadata = [['filename', this.#options.name], ['filetype', this.#type]].map(([name, value]) => `${name} ${base64(value!)}`);
    const answer = await this.#call('POST', '/uploads', { 'Upload-Length': `${this.#blob.size}`, 'Upload-Metadata': metadata.join(',') });
    const place = answer.headers.get('Location');
    if (!place) throw new ConnectionLost();
    this.#known = true;
    const url = new URL(place, 'http://server').pathname.replace(/^.*?\/api\/v1/, '');
    this.#options.began?.(url);
    return url;
  }

  async #look(): Promise<string | null> {
    const answer = await this.#call('HEAD', this.#url!, {});
    this.#known = true;
    return this.#arrived(answer);
  }

  async #send(): Promise<string | null> {
    const begun = performance.now();
    const part = this.#blob.slice(this.#offset, this.#offset + this.#part);
    const headers = { 'Upload-Offset': `${this.#offset}`, 'Content-Type': 'application/offset+octet-stream' };
    this.#known = false;
    const answer = await this.#call('PATCH', this.#url!, headers, part);
    this.#known = true;
    this.#attempts = 0;
    const took = performance.now() - begun;
    if (took < quickMs) this.#part = Math.min(mostPart, this.#part * 2);
    else if (took > slowMs) this.#part = Math.max(leastPart, this.#part / 2);
    return this.#arrived(answer);
  }

  #arrived({ headers }: Response): string | null {
    this.#offset = Number(headers.get('Upload-Offset') ?? 0);
    this.#options.progress?.(this.#offset);
    return headers.get('Fechatter-File');
  }

  /** Rethrows what no later attempt can mend, and prepares the next one otherwise. */
  async #judge(err: unknown): Promise<void> {
    this.#part = Math.max(leastPart, this.#part / 2);
    if (!(err instanceof ProblemError)) {
      if (!isPassing(err)) throw err;
      return this.#readable();
    }
    const { status } = err.problem;
    const gone = this.#url && (status === 404 || status === 410);
    // The server has forgotten it, or keeps another count of it.
    if (gone) this.#url = undefined;
    else if (status !== 409 && status !== 423 && !isPassing(err)) throw err;
    const busy = err.code === 'unavailable' || err.code === 'overloaded' || err.code === 'rate_limited';
    if ((!busy && this.#attempts >= mostAttempts) || isFull(err)) throw err;
  }

  /** Tells a lost connection from a file that is gone: a browser reports both alike. */
  async #readable(): Promise<void> {
    await this.#blob.slice(this.#offset, this.#offset + 1).arrayBuffer().catch(() => {
      throw unreadable();
    });
  }

  #call(method: string, path: string, headers: Record<string, string>, body?: Blob, signal = this.#options.signal): Promise<Response> {
    const late = AbortSignal.timeout(answerMs);
    const all = { 'Tus-Resumable': '1.0.0', ...headers };
    return this.#rest.fetch(path, { method, headers: all, ...(body && { body }), signal: signal ? AbortSignal.any([signal, late]) : late });
  }

  get #type(): string {
    return this.#blob.type || 'application/octet-stream';
  }
}

/** The error for a file of this device that is gone. */
export function unreadable(): ProblemError {
  const detail = 'the file cannot be read any more';
  return new ProblemError({ type: 'about:blank', title: detail, status: 400, detail, code: 'bad_request' });
}

/** Reports whether the server refused it because there is no room left. */
export const isFull = ({ problem: { status, detail } }: ProblemError): boolean => status === 507 || /\b(full|space|quota|room|may store)\b/i.test(detail);

const retryAfter = (err: unknown): number => (err instanceof ProblemError ? err.retryAfterMs : 0);

/** Waits, but no longer once the server can be reached again. */
function pause(ms: number, wake: Partial<EventTarget>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      wake.removeEventListener?.('online', done);
      signal?.removeEventListener('abort', done);
      resolve();
    }
    wake.addEventListener?.('online', done);
    signal?.addEventListener('abort', done);
  });
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

