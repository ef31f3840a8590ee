import { namesNeeded } from '../text/names';
import type { Page } from './page.svelte';

/** The people on screen come first. */
const laterMs = 1_000;

/** Asks for the people in chats that are not on screen, to be found by name. Call in a component. */
export function meetEverybody(page: Page): void {
  // As a text, which stays the same while people write.
  const ids = $derived([...new Set(page.held.flatMap(({ entry }) => [page.partner(entry), ...(entry.name ? [] : namesNeeded(entry, page.me))]))].join(' '));
  const settled = $derived(page.snapshot?.state.loaded === true && (!page.chat || page.chat.history !== null));

  $effect(() => {
    const all = ids.split(' ');
    if (!settled) return;
    const timer = setTimeout(() => page.client.directory.need(all), laterMs);
    return () => clearTimeout(timer);
  });
}
