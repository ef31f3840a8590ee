import { SvelteMap } from 'svelte/reactivity';

const prefix = 'fechatter.draft.';

/** Unfinished texts by chat. They survive a reload, unless the browser refuses storage. */
export class Drafts {
  private readonly texts = new SvelteMap<string, string>();

  constructor(
    private readonly user: string,
    private readonly storage: Storage = localStorage,
  ) {
    this.attempt(() => {
      for (const key of this.keys()) this.texts.set(key.slice(this.own.length), this.storage.getItem(key) ?? '');
    });
  }

  /** Whether there is any draft. */
  get any(): boolean {
    return [...this.texts.values()].some((text) => text.trim() !== '');
  }

  get(chatId: string): string | undefined {
    return this.texts.get(chatId);
  }

  set(chatId: string, text: string): void {
    if (text === '') return this.delete(chatId);
    this.texts.set(chatId, text);
    this.attempt(() => this.storage.setItem(this.own + chatId, text));
  }

  delete(chatId: string): void {
    this.texts.delete(chatId);
    this.attempt(() => this.storage.removeItem(this.own + chatId));
  }

  /** Deletes all drafts; call on log-out. */
  clear(): void {
    this.attempt(() => this.keys().forEach((key) => this.storage.removeItem(key)));
    this.texts.clear();
  }

  private get own(): string {
    return `${prefix}${this.user}.`;
  }

  private keys(): string[] {
    return Object.keys(this.storage).filter((key) => key.startsWith(this.own));
  }

  private attempt(fn: () => void): void {
    try {
      fn();
    } catch {
      // Without storage, drafts last as long as the page.
    }
  }
}
