const key = 'fechatter.emoji';
const most = 8;
const first = ['👍', '❤️', '😂', '🎉', '😮', '😢', '🙏', '👀'];

/** The emoji last used on this device, filled up with popular ones. */
export class Recent {
  list = $state.raw<readonly string[]>(read());

  use(emoji: string): void {
    this.list = [emoji, ...this.list.filter((other) => other !== emoji)].slice(0, most);
    try {
      localStorage.setItem(key, JSON.stringify(this.list));
    } catch {
      // Without storage, they last as long as the page.
    }
  }
}

function read(): readonly string[] {
  try {
    const held: unknown = JSON.parse(localStorage.getItem(key) ?? '[]');
    return [...new Set([...(Array.isArray(held) ? held.map(String) : []), ...first])].slice(0, most);
  } catch {
    return first;
  }
}
