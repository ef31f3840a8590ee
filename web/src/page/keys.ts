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
