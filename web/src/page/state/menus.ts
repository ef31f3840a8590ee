import type { Entry } from '../../client';
import type { Item } from '../elements/Menu.svelte';
import type { Page } from './page.svelte';

/** What can be done with a chat and with a person, wherever a menu offers it. */

export function chatItems(page: Page, entry: Entry): Item[] {
  const { t } = page;
  if (entry.request) {
    return [
      { label: t.request.accept, icon: 'check', testId: 'accept-item', action: () => void page.acts.accept(entry) },
      { label: t.request.decline, icon: 'close', danger: true, testId: 'decline-item', action: () => void page.acts.decline(entry) },
    ];
  }
  return [
    ...(entry.unread > 0 ? [{ label: t.sidebar.markRead, icon: 'check', testId: 'mark-read', action: () => void page.attempt(() => page.client.read(entry.id)) } as const] : []),
    { label: entry.muted ? t.sidebar.unmute : t.sidebar.mute, icon: entry.muted ? 'bell' : 'mute', testId: 'mute', action: () => void page.acts.mute(entry, !entry.muted) },
    { label: t.sidebar.copyLink, icon: 'link', action: () => page.copy(`${location.origin}/chats/${entry.id}`) },
    { label: t.chat.hide, icon: 'hide', testId: 'hide', action: () => void page.acts.hide(entry) },
    ...(entry.kind === 'direct'
      ? blocking(page, page.partner(entry))
      : [{ label: t.settings.leave, icon: 'out', danger: true, action: () => void page.acts.leaveChat(entry.id) } as const]),
  ];
}

export function personItems(page: Page, id: string): Item[] {
  return [{ label: page.t.members.write(page.inText(id)), icon: 'send', testId: 'write', action: () => void page.acts.write(id) }, ...blocking(page, id)];
}

/** The item that blocks a person, or ends that; none for oneself. */
export function blocking(page: Page, id: string): Item[] {
  const { t } = page;
  if (!id || id === page.me) return [];
  const blocked = page.blocked.has(id);
  const label = (blocked ? t.people.unblockPerson : t.people.blockPerson)(page.inText(id));
  return [{ label, icon: 'block', danger: !blocked, testId: 'block', action: () => void page.acts.block(id, !blocked) }];
}
