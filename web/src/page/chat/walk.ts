const itemOf = (target: EventTarget | null) => (target as HTMLElement | null)?.closest<HTMLElement>('[data-message]');

/** The id of the message that an event occurred on. */
export function messageAt(event: Event): string | undefined {
  return itemOf(event.target)?.dataset['message'];
}

/** Moves the focus between messages with the arrow keys, starting at the last visible one. */
export function walk(viewport: HTMLElement, event: KeyboardEvent): void {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!step || (event.target !== viewport && event.target !== itemOf(event.target))) return;
  const all = [...viewport.querySelectorAll<HTMLElement>('[data-message]')];
  const now = all.indexOf(event.target as HTMLElement);
  const { bottom } = viewport.getBoundingClientRect();
  const next = now < 0 ? all.findLast((item) => item.getBoundingClientRect().top < bottom - 20) : all[now + step];
  event.preventDefault();
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}
