const chatPath = /^\/chats\/([0-9a-f-]{36})(?:\/(\d{1,15}))?$/;

/** Which chat the address names, and which message of it. The browser's back button works. */
export class Route {
  chatId = $state<string | null>(null);
  /** A message to be led to; whoever does so clears it. */
  seq = $state<number | null>(null);

  constructor() {
    this.read();
  }

  /** Follows the browser's history until the answer is called. */
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
