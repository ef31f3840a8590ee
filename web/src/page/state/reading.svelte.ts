import type { ChatState } from '../../client';
import type { Page } from './page.svelte';

const pauseMs = 200;

/** Marks a chat as read up to what the user has seen of it. Call in its component. */
export function readWhatIsSeen(page: Page, chat: () => ChatState, seen: () => number, caughtUp: () => boolean): void {
  let tried = 0;

  $effect(() => {
    page.atEnd = caughtUp() && page.online ? chat().entry.id : null;
    return () => (page.atEnd = null);
  });

  $effect(() => {
    const { entry, stale, history, past } = chat();
    const upTo = seen();
    const unread = entry.unread > 0 || entry.mentions > 0;
    // A stranger does not learn that their request was looked at.
    if (entry.request || !unread || upTo <= entry.read_seq || upTo <= tried || !page.attentive || !page.online) return;
    if (!past && (stale || !history)) return;
    const timer = setTimeout(() => {
      tried = upTo;
      page.client.read(entry.id, upTo).catch(() => (tried = 0));
    }, pauseMs);
    return () => clearTimeout(timer);
  });
}
