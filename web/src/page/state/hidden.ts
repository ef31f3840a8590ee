/** Which chats this user has hidden in this browser. */
export class Hidden {
  private readonly key: string;

  constructor(user: string) {
    this.key = `hidden.${user}`;
  }

  get ids(): string[] {
    try {
      const held: unknown = JSON.parse(localStorage.getItem(this.key) ?? '[]');
      return Array.isArray(held) ? held.filter((id) => typeof id === 'string') : [];
    } catch {
      return [];
    }
  }

  add(id: string): void {
    this.keep([...this.ids.filter((other) => other !== id), id].slice(-most));
  }

  drop(id: string): void {
    this.keep(this.ids.filter((other) => other !== id));
  }

  private keep(ids: string[]): void {
    try {
      localStorage.setItem(this.key, JSON.stringify(ids));
    } catch {
      // Without a storage they are found by what is in them.
    }
  }
}

/** As many as a search may ask for: the latest. */
const most = 50;
