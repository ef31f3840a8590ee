const chatPath = /^\/chats\/([0-9a-f-]{36})$/;

/** Which chat the address names. The browser's back button works. */
export class Route {
  chatId = $state<string | null>(chatOf(location.pathname));

  /** Follows the browser's history until the answer is called. */
  listen(): () => void {
    const moved = () => (this.chatId = chatOf(location.pathname));
    addEventListener('popstate', moved);
    return () => removeEventListener('popstate', moved);
  }

  go(chatId: string | null): void {
    if (chatId === this.chatId) return;
    history.pushState(null, '', chatId ? `/chats/${chatId}` : '/');
    this.chatId = chatId;
  }
}

function chatOf(path: string): string | null {
  return chatPath.exec(path)?.[1] ?? null;
}
