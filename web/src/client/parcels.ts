import { newKey, type Client } from './index';
import type { File } from './types';
import { later, unreadable, upload } from './upload';

/** A file on its way to the server. */
export interface Transfer {
  readonly id: string;
  readonly name: string;
  readonly blob: Blob;
  readonly state: 'waiting' | 'uploading' | 'done' | 'failed';
  /** The bytes that the server has. */
  readonly sent: number;
  /** Where an upload was begun. */
  readonly url?: string | undefined;
  /** What the server made of it, once it is done. */
  readonly file?: File | undefined;
  /** Why it failed. */
  readonly error?: unknown;
}

/** A message that waits for its files. */
export interface Parcel {
  /** The key under which it is sent, for good. */
  readonly key: string;
  readonly chat_id: string;
  readonly body: string;
  readonly reply_to?: string | undefined;
  readonly written_at: number;
  readonly transfers: readonly Transfer[];
}

/** What the storage keeps: a parcel without its bytes, or the bytes of one file, which are written once. */
export type KeptParcel = Pick<Parcel, 'key' | 'written_at'> & { readonly parcel?: Omit<Parcel, 'transfers'> & { readonly transfers: readonly Omit<Transfer, 'blob'>[] }; readonly blob?: Blob };

/** Keeps parcels across reloads: an `OutboxDatabase<KeptParcel>` whose part is `files`. */
export interface ParcelStorage {
  load(): KeptParcel[] | Promise<KeptParcel[]>;
  save(kept: KeptParcel): void;
  forget(key: string): void;
}

export interface FileOutboxOptions {
  client: Client;
  /** Without it, what waits for its files ends with the page. */
  storage?: ParcelStorage;
  /** Called after every change of what is held. */
  changed: (held: Held) => void;
}

/** What a page shows, as one immutable value. */
export interface Held {
  /** The files for the next message of a chat, by chat. */
  readonly trays: ReadonlyMap<string, readonly Transfer[]>;
  /** The messages that were sent and wait for their files. */
  readonly parcels: readonly Parcel[];
}

/** How many files are under way at once. */
const most = 3;

/**
 * Uploads files for the next message of each chat, and sends the message once they are there. It
 * goes through the client's outbox under a key of its own, so that it is sent once, whatever happens
 * in between. Text that is written meanwhile does not wait for it. Call `start` once and `stop` once.
 */
export class FileOutbox {
  readonly #client: Client;
  readonly #storage: ParcelStorage;
  readonly #changed: (held: Held) => void;
  readonly #running = new Map<string, AbortController>();
  readonly #ending = new AbortController();
  /** Frees the locks of the parcels that this window sends. */
  readonly #locks = new Map<string, () => void>();
  /** Handed to the client's outbox, and not settled yet. */
  readonly #passed = new Map<string, readonly Transfer[]>();
  #held: Held = { trays: new Map(), parcels: [] };
  readonly #wake = new EventTarget();
  #unsubscribe: (() => void)[] = [];

  constructor({ client, storage, changed }: FileOutboxOptions) {
    this.#client = client;
    this.#storage = storage ?? { load: () => [], save: () => {}, forget: () => {} };
    this.#changed = changed;
  }

  /** Takes up what a closed window has left. */
  async start(): Promise<void> {
    const online = ({ phase }: { phase: string }) => phase === 'online' && this.#wake.dispatchEvent(new Event('online'));
    this.#unsubscribe = [this.#client.on('change', () => this.#settle()), this.#client.on('connection', online)];
    for (const { key, parcel } of await this.#storage.load()) if (parcel) this.#claim(key, () => void this.#resume(key));
  }

  stop(): void {
    this.#ending.abort();
    for (const end of this.#unsubscribe) end();
    for (const controller of this.#running.values()) controller.abort(later);
    for (const free of this.#locks.values()) free();
  }

  /** Begins to upload files for the next message of a chat. */
  add(chatId: string, files: readonly { readonly blob: Blob; readonly name: string }[]): void {
    const transfers = files.map(({ blob, name }): Transfer => ({ id: newKey(), name, blob, state: 'waiting', sent: 0 }));
    this.#tray(chatId, [...this.tray(chatId), ...transfers]);
    this.#pump();
  }

  /** The files for the next message of a chat. */
  tray = (chatId: string): readonly Transfer[] => this.#held.trays.get(chatId) ?? [];

  /** Takes a file back, also out of a message that waits for it. */
  remove(id: string): void {
    this.#abort(id);
    for (const [chatId, tray] of this.#held.trays) if (tray.some((one) => one.id === id)) this.#tray(chatId, without(tray, id));
    const parcel = this.#held.parcels.find(({ transfers }) => transfers.some((one) => one.id === id));
    if (!parcel) return this.#pump();
    const transfers = without(parcel.transfers, id);
    if (transfers.length === 0 && parcel.body.trim() === '') return void this.discard(parcel.key);
    this.#put({ ...parcel, transfers });
    this.#pass(parcel.key);
  }

  /** Tries a failed file again. */
  again(id: string): void {
    this.#change(id, (one) => (one.state === 'failed' ? { ...one, state: 'waiting', error: undefined } : one));
    this.#pump();
  }

  /** Sends the files of a chat's tray with this text, as soon as they are there. Returns whether there were any. */
  send(chat_id: string, body: string, reply_to?: string): boolean {
    const transfers = this.tray(chat_id);
    if (transfers.length === 0) return false;
    const parcel: Parcel = { key: newKey(), chat_id, body, reply_to, written_at: Date.now(), transfers };
    this.#tray(chat_id, []);
    this.#claim(parcel.key, () => {});
    this.#put(parcel);
    this.#pass(parcel.key);
    return true;
  }

  /** Tries the failed files of a message again; returns whether it waits for files. */
  retry(key: string): boolean {
    const parcel = this.#held.parcels.find((one) => one.key === key);
    for (const { id } of parcel?.transfers ?? []) this.again(id);
    return parcel !== undefined;
  }

  /** Drops a message that waits for its files; returns whether it was one. */
  discard(key: string): boolean {
    const parcel = this.#held.parcels.find((one) => one.key === key);
    for (const { id } of parcel?.transfers ?? []) this.#abort(id);
    if (parcel) {
      this.#drop(key);
      this.#forget(key, parcel.transfers);
    }
    return parcel !== undefined;
  }

  #abort(id: string): void {
    this.#running.get(id)?.abort();
    this.#running.delete(id);
  }

  async #resume(key: string): Promise<void> {
    const kept = new Map((await this.#storage.load()).map((one) => [one.key, one]));
    const parcel = kept.get(key)?.parcel;
    if (!parcel || this.#ending.signal.aborted) return this.#locks.get(key)?.();
    const transfers = parcel.transfers.map((one): Transfer => {
      const blob = kept.get(one.id)?.blob;
      // A browser that is short of room may have kept the words alone.
      if (!blob && !one.file) return { ...one, blob: new Blob(), state: 'failed', error: unreadable() };
      return { ...one, blob: blob ?? new Blob(), state: one.state === 'uploading' ? 'waiting' : one.state };
    });
    this.#set({ parcels: [...this.#held.parcels, { ...parcel, transfers }] });
    this.#pass(key);
    this.#pump();
  }

  /** Hands a message to the client's outbox, if its files are there. */
  #pass(key: string): void {
    const parcel = this.#held.parcels.find((one) => one.key === key);
    if (!parcel?.transfers.every(({ file }) => file)) return;
    const files = parcel.transfers.map(({ file }) => file!);
    this.#client.send(parcel.chat_id, parcel.body, parcel.reply_to, files.length > 0 ? files : undefined, key);
    this.#passed.set(key, parcel.transfers);
    this.#drop(key);
  }

  /** Forgets what the client's outbox has sent, or the user has discarded there. */
  #settle(): void {
    const waiting = new Set(this.#client.store.get().outbox.map(({ key }) => key));
    for (const [key, transfers] of this.#passed) if (!waiting.has(key)) this.#forget(key, transfers);
  }

  #forget(key: string, transfers: readonly Transfer[]): void {
    this.#passed.delete(key);
    this.#storage.forget(key);
    for (const { id } of transfers) this.#storage.forget(id);
    this.#locks.get(key)?.();
    this.#locks.delete(key);
  }

  #pump(): void {
    if (this.#ending.signal.aborted) return;
    const all = [...this.#held.parcels.flatMap(({ transfers }) => transfers), ...[...this.#held.trays.values()].flat()];
    for (const one of all) if (one.state === 'waiting' && !this.#running.has(one.id) && this.#running.size < most) void this.#run(one);
  }

  async #run({ id, blob, name, url }: Transfer): Promise<void> {
    const controller = new AbortController();
    this.#running.set(id, controller);
    this.#change(id, (one) => ({ ...one, state: 'uploading' }));
    const change = (news: Partial<Transfer>) => !controller.signal.aborted && this.#change(id, (one) => ({ ...one, ...news }));
    try {
      const { rest } = this.#client;
      const file = await upload(rest, blob, { name, url, signal: controller.signal, wake: this.#wake, began: (at) => change({ url: at }), progress: (sent) => change({ sent }) });
      change({ state: 'done', sent: blob.size, file });
    } catch (error) {
      change({ state: 'failed', error });
    }
    if (this.#running.get(id) === controller) this.#running.delete(id);
    const parcel = this.#held.parcels.find(({ transfers }) => transfers.some((one) => one.id === id));
    if (parcel) this.#pass(parcel.key);
    this.#pump();
  }

  /** Calls `then` once no other window sends this parcel. */
  #claim(key: string, then: () => void): void {
    const hold = () => {
      then();
      return new Promise<void>((free) => this.#locks.set(key, free));
    };
    // Without locks two windows may upload the same: the message is sent once all the same.
    const locks = globalThis.navigator?.locks as LockManager | undefined;
    if (locks) locks.request(`fechatter.parcel.${key}`, { signal: this.#ending.signal }, hold).catch(() => {});
    else then();
  }

  #change(id: string, fn: (one: Transfer) => Transfer): void {
    const has = (list: readonly Transfer[]) => list.some((one) => one.id === id);
    const next = (list: readonly Transfer[]) => list.map((one) => (one.id === id ? fn(one) : one));
    for (const [chatId, tray] of this.#held.trays) if (has(tray)) this.#tray(chatId, next(tray));
    const parcel = this.#held.parcels.find(({ transfers }) => has(transfers));
    if (parcel) this.#put({ ...parcel, transfers: next(parcel.transfers) });
  }

  #tray(chatId: string, tray: readonly Transfer[]): void {
    const trays = new Map(this.#held.trays);
    if (tray.length > 0) trays.set(chatId, tray);
    else trays.delete(chatId);
    this.#set({ trays });
  }

  #put(parcel: Parcel): void {
    const before = this.#held.parcels.find(({ key }) => key === parcel.key);
    if (!before) for (const { id, blob } of parcel.transfers) this.#storage.save({ key: id, written_at: parcel.written_at, blob });
    // Progress is not worth a write, where it has come to is asked of the server.
    const kept = ({ transfers }: Parcel) => JSON.stringify(transfers.map(({ id, url, state }) => [id, url, state]));
    if (!before || kept(before) !== kept(parcel)) this.#keep(parcel);
    for (const { id } of before?.transfers ?? []) if (!parcel.transfers.some((one) => one.id === id)) this.#storage.forget(id);
    const parcels = before ? this.#held.parcels.map((one) => (one === before ? parcel : one)) : [...this.#held.parcels, parcel];
    this.#set({ parcels });
  }

  #keep(parcel: Parcel): void {
    const transfers = parcel.transfers.map(({ blob: _blob, error: _error, ...one }) => one);
    this.#storage.save({ key: parcel.key, written_at: parcel.written_at, parcel: { ...parcel, transfers } });
  }

  #drop(key: string): void {
    this.#set({ parcels: this.#held.parcels.filter((one) => one.key !== key) });
  }

  #set(change: Partial<Held>): void {
    this.#held = { ...this.#held, ...change };
    this.#changed(this.#held);
  }
}

const without = (list: readonly Transfer[], id: string) => list.filter((one) => one.id !== id);

