type Press = Pick<KeyboardEvent, 'key' | 'shiftKey' | 'isComposing' | 'keyCode'>;

/**
 * Reports whether a key belongs to an input method. Safari reports the Enter that ends composing
 * after it has ended, with code 229.
 */
export function isComposing(event: Pick<Press, 'isComposing' | 'keyCode'>): boolean {
  return event.isComposing || event.keyCode === 229;
}

/** Reports whether a key press is an Enter that sends. */
export function isSend(event: Press): boolean {
  return event.key === 'Enter' && !event.shiftKey && !isComposing(event);
}

/** Fits a text area to its text, as far as its style allows. */
export function fit(area: HTMLTextAreaElement): void {
  area.style.height = 'auto';
  area.style.height = `${area.scrollHeight + area.offsetHeight - area.clientHeight}px`;
}

/** Focuses the composer, except on touch screens, where the keyboard would cover the messages. */
export function toComposer(): void {
  if (matchMedia('(hover: hover)').matches) document.getElementById('composer')?.focus();
}

/** Reports whether a key types a character outside any control, meant for the composer. */
export function isLoose(event: KeyboardEvent): boolean {
  // A browser that fills in a form sends key events without a key.
  if (event.key?.length !== 1 || event.key === ' ' || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false;
  return !(event.target as HTMLElement).closest('input, textarea, select, button, a, summary, dialog, [popover]');
}
