const chatPath = /^\/chats\/([0-9a-f-]{36})(?:\/(\d{1,15}))?$/;

/** The chat and message in the address. Works with the browser's back button. */
export class Route {
  chatId = $state<string | null>(null);
  /** The message to go to; whoever goes there clears it. */
  seq = $state<number | null>(null);

  constructor() {
    this.read();
  }

  /** Follows the browser's history until the returned function is called. */
  listen(): () => void {
    const moved = () => this.read();
    addEventListener('popstate', moved);
    return () => removeEventListener('popstate', moved);
  }

  go(chatId: string | null): void {
    if (chatId === this.chatId) return;
    history.pushState(null, '', chatId ? `/chats/${chatId}` : '/');
    this.chatId = chatId;
  }

  private read(): void {
    const [, chatId, seq] = chatPath.exec(location.pathname) ?? [];
    this.chatId = chatId ?? null;
    this.seq = seq ? Number(seq) : null;
  }
}
