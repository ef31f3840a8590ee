import type { Attachment } from 'svelte/attachments';

const steps: Readonly<Record<string, (now: number, count: number) => number>> = {
  ArrowDown: (now) => now + 1,
  ArrowUp: (now) => now - 1,
  ArrowRight: (now) => now + 1,
  ArrowLeft: (now) => now - 1,
  Home: () => 0,
  End: (_, count) => count - 1,
};

/**
 * Makes a list one stop for Tab: the arrow keys reach its other items. `selector` finds them. From
 * a field that `before` finds, Arrow Down leads into the list, and from its first item back.
 */
export function roving(selector: string, before?: () => HTMLElement | null | undefined): Attachment<HTMLElement> {
  return (list) => {
    const items = () => [...list.querySelectorAll<HTMLElement>(selector)];
    let current: HTMLElement | undefined;
    const mark = () => {
      const all = items();
      if (!current || !all.includes(current)) current = all[0];
      for (const item of all) item.tabIndex = item === current ? 0 : -1;
    };
    const focus = (event: FocusEvent) => {
      const item = (event.target as HTMLElement).closest<HTMLElement>(selector);
      if (!item) return;
      current = item;
      mark();
    };
    const key = (event: KeyboardEvent) => {
      const all = items();
      const now = all.indexOf(event.target as HTMLElement);
      const to = now < 0 ? undefined : steps[event.key]?.(now, all.length);
      if (to === undefined) return;
      event.preventDefault();
      (to < 0 ? before?.() : all[to])?.focus();
    };
    const enter = (event: KeyboardEvent) => {
      if (event.key !== 'ArrowDown' || event.target !== before?.()) return;
      event.preventDefault();
      items()[0]?.focus();
    };
    mark();
    const observer = new MutationObserver(mark);
    observer.observe(list, { childList: true, subtree: true });
    list.addEventListener('focusin', focus);
    list.addEventListener('keydown', key);
    addEventListener('keydown', enter);
    return () => {
      observer.disconnect();
      list.removeEventListener('focusin', focus);
      list.removeEventListener('keydown', key);
      removeEventListener('keydown', enter);
    };
  };
}
