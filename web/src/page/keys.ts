/**
 * Whether a key press is an Enter that sends: not with Shift, and not the one that ends the composing
 * of an input method (Safari reports that one with code 229 after composing has ended).
 */
export function isSend(event: Pick<KeyboardEvent, 'key' | 'shiftKey' | 'isComposing' | 'keyCode'>): boolean {
  return event.key === 'Enter' && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}

/** Lets a text area grow with its text, up to what its style allows. */
export function fit(area: HTMLTextAreaElement): void {
  area.style.height = 'auto';
  area.style.height = `${area.scrollHeight + area.offsetHeight - area.clientHeight}px`;
}

/** Where one writes, in the chat on screen; not on a touch screen, whose keyboard would cover what one came to read. */
export function toComposer(): void {
  if (matchMedia('(hover: hover)').matches) document.getElementById('composer')?.focus();
}

/** Whether the press is of a character that nothing on the page waits for: it is meant for the composer. */
export function isLoose(event: KeyboardEvent): boolean {
  // A browser that fills in a form presses keys without a name.
  if (event.key?.length !== 1 || event.key === ' ' || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false;
  return !(event.target as HTMLElement).closest('input, textarea, select, button, a, summary, dialog, [popover]');
}
