import type { ChatState } from '../client';
import type { Page } from './page.svelte';

const pauseMs = 200;

/** Marks a chat as read while its newest end is on screen and a person looks. For a component that shows it. */
export function readWhatIsSeen(page: Page, chat: () => ChatState, atEnd: () => boolean): void {
  let tried = 0;

  $effect(() => {
    page.atEnd = atEnd() && !chat().past && page.online ? chat().entry.id : null;
    return () => (page.atEnd = null);
  });

  $effect(() => {
    const { entry, cursor, stale, timeline, past } = chat();
    const unread = entry.unread > 0 || entry.mentions > 0;
    if (!unread || !page.attentive || !atEnd() || !page.online || stale || !timeline || past || cursor <= tried) return;
    const timer = setTimeout(() => {
      tried = cursor;
      page.client.read(entry.id).catch(() => (tried = 0));
    }, pauseMs);
    return () => clearTimeout(timer);
  });
}
