const prefix = 'fechatter.visited.';
const most = 50;

/** The chats that a user has opened in this browser, the latest first. */
export class Visited {
  private list: readonly string[];

  constructor(
    private readonly user: string,
    private readonly storage: Storage = localStorage,
  ) {
    this.list = this.read();
  }

  get ids(): readonly string[] {
    return this.list;
  }

  visit(id: string): void {
    this.list = [id, ...this.list.filter((other) => other !== id)].slice(0, most);
    this.attempt(() => this.storage.setItem(prefix + this.user, JSON.stringify(this.list)));
  }

  private read(): string[] {
    return this.attempt(() => {
      const held: unknown = JSON.parse(this.storage.getItem(prefix + this.user) ?? '[]');
      return Array.isArray(held) ? held.map(String) : [];
    }) ?? [];
  }

  private attempt<T>(fn: () => T): T | undefined {
    try {
      return fn();
    } catch {
      // Without storage they last as long as the page.
      return undefined;
    }
  }
}
