import { ProblemError, type Client, type File, type Pending } from '../../client';
import { FileOutbox, isFull, type Held, type KeptParcel, type Parcel, type Transfer } from '../../client/files';
import { OutboxDatabase } from '../../client/outbox-db';
import type { Page } from '../state/page.svelte';
import { isPicture, sizeText } from './kinds';
import { fileTexts, type FileTexts } from './texts';

const mostFiles = 10;
/** How many pages of messages without a picture the viewer reads at once. */
const mostPages = 5;

interface Viewed {
  readonly files: readonly File[];
  readonly at: number;
  /** The chat whose messages have them; '' for a choice of them. */
  readonly chatId: string;
}

/** The files of the logged-in user: those on their way, and the pictures that are being looked at. */
export class Files {
  held = $state.raw<Held>({ trays: new Map(), parcels: [] });
  /** The pictures that are being looked at, and which of them. */
  viewed = $state.raw<Viewed | null>(null);
  readonly t: FileTexts = $derived.by(() => fileTexts(this.page.language.locale));
  /** The messages that wait for their files, as the list shows what is unsent. */
  readonly waiting: readonly Pending[] = $derived.by(() => this.held.parcels.map((parcel) => this.pendingOf(parcel)));
  private readonly outbox: FileOutbox;
  private readonly storage: OutboxDatabase<KeptParcel>;

  constructor(
    private readonly page: Page,
    client: Client,
    userId: string,
  ) {
    this.storage = new OutboxDatabase<KeptParcel>(userId, 'files');
    this.outbox = new FileOutbox({ client, storage: this.storage, changed: (held) => (this.held = held) });
    void this.outbox.start();
  }

  stop(): void {
    this.outbox.stop();
  }

  /** Deletes what waits on this device; call on log-out. */
  clear = (): Promise<void> => this.storage.clear();

  /** Whether anything is in a tray. */
  get any(): boolean {
    return this.held.trays.size > 0;
  }

  tray = (chatId: string): readonly Transfer[] => this.held.trays.get(chatId) ?? [];
  parcel = (key: string): Parcel | undefined => this.held.parcels.find((parcel) => parcel.key === key);
  remove = (id: string): void => this.outbox.remove(id);
  again = (id: string): void => this.outbox.again(id);
  retry = (key: string): boolean => this.outbox.retry(key);
  discard = (key: string): boolean => this.outbox.discard(key);
  send = (chatId: string, body: string, replyTo?: string): boolean => this.outbox.send(chatId, body, replyTo);
  size = (bytes: number): string => sizeText(bytes, this.page.language.locale);

  /** Takes files into the next message of a chat, and says which it cannot take. */
  add(chatId: string, list: readonly Chosen[]): void {
    const { toasts, limits } = this.page;
    if (limits && !limits.file_bytes) return toasts.show(this.t.none);
    const most = limits?.attachments ?? mostFiles;
    const room = most - this.tray(chatId).length;
    const good = list.filter((file) => {
      const fault = this.fault(file, limits?.file_bytes ?? Infinity);
      if (fault) toasts.show(fault);
      return !fault;
    });
    if (good.length > room) toasts.show(this.t.tooMany(most));
    if (room > 0 && good.length > 0) this.outbox.add(chatId, good.slice(0, room).map((file) => ({ blob: file, name: file.name })));
    document.getElementById('composer')?.focus();
  }

  /** Opens the viewer at a picture, beside the others; those of a chat go on into its past. */
  view(files: readonly File[], file: File, chatId = ''): void {
    const pictures = files.filter(isPicture);
    this.viewed = { files: pictures, at: Math.max(0, pictures.findIndex(({ id }) => id === file.id)), chatId };
  }

  /** Whether older messages may have more pictures for the viewer. */
  get hasOlder(): boolean {
    const { chat } = this.page;
    return chat !== undefined && this.viewed?.chatId === chat.entry.id && (chat.past ?? chat.history)?.hasBefore === true;
  }

  /** Reads older messages until they have a picture, and shows it. */
  async older(): Promise<void> {
    for (let pages = 0; pages < mostPages && this.viewed && this.hasOlder; pages++) {
      const { chatId, files } = this.viewed;
      if (!(await this.page.attempt(() => this.page.client.older(chatId)))) return;
      const now = this.pictures;
      const at = now.findIndex(({ id }) => id === files[0]?.id);
      if (at > 0 && this.viewed) return void (this.viewed = { files: now, at: at - 1, chatId });
    }
  }

  /** The pictures in what is loaded of the open chat. */
  get pictures(): File[] {
    const { chat, blocked } = this.page;
    const lines = [...(chat?.past?.lines ?? chat?.history?.lines ?? [])];
    return lines.flatMap(({ message }) => (blocked.has(message.sender_id) ? [] : (message.attachments ?? []))).filter(isPicture);
  }

  /** One sentence on why a file was not uploaded. */
  reason(error: unknown): string {
    if (!(error instanceof ProblemError)) return this.page.sentence(error);
    const { status, detail } = error.problem;
    if (isFull(error)) return this.t.full;
    if (status === 413 || error.code === 'too_large') return this.t.refusedSize;
    return /cannot be read/.test(detail) ? this.t.gone : this.page.sentence(error);
  }

  private pendingOf({ key, chat_id, body, reply_to, written_at, transfers }: Parcel): Pending {
    const failed = transfers.find(({ state }) => state === 'failed');
    const outcome = failed ? ({ status: 'failed', reason: this.reason(failed.error) } as const) : ({ status: 'queued' } as const);
    return { key, chat_id, body, reply_to, written_at, attempts: 0, due: 0, ...outcome };
  }

  private fault(file: Chosen, most: number): string {
    if (file.folder) return this.t.folder(file.name);
    if (file.size === 0) return this.t.empty(file.name);
    return file.size > most ? this.t.tooLarge(file.name, this.size(most)) : '';
  }
}

/** A file of the user's device. */
export type Chosen = Blob & { readonly name: string; readonly folder?: boolean };

/** What was dropped or pasted; a folder is told from a file. */
export function chosenFrom(data: DataTransfer): Chosen[] {
  return [...data.items].flatMap((item) => {
    const file = item.kind === 'file' ? item.getAsFile() : null;
    if (!file) return [];
    return [item.webkitGetAsEntry?.()?.isDirectory ? Object.assign(file, { folder: true }) : file];
  });
}
