import { untrack } from 'svelte';
import type { Attachment } from 'svelte/attachments';
import { toComposer } from './keys';

/**
 * Makes a dialog element modal for as long as it is there. `close` is called for Escape and a press on the
 * backdrop. Afterwards the focus is where it was, or in the composer when another chat is on screen by then.
 */
export function modal(chat: () => string | null, close: () => void): Attachment<HTMLDialogElement> {
  return (dialog) => {
    const before = { chat: untrack(chat), focus: document.activeElement };
    const press = (event: MouseEvent) => {
      if (event.target === dialog) close();
    };
    // A search box would take Escape to empty itself, and the dialog's own closing tells of it too late.
    const key = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || event.isComposing || event.defaultPrevented) return;
      event.preventDefault();
      event.stopPropagation();
      close();
    };
    dialog.addEventListener('mousedown', press);
    dialog.addEventListener('keydown', key);
    dialog.addEventListener('close', close);
    dialog.showModal();
    return () => {
      dialog.removeEventListener('close', close);
      if (chat() !== before.chat) toComposer();
      else if (before.focus instanceof HTMLElement) before.focus.focus();
    };
  };
}
