import { untrack } from 'svelte';
import type { Attachment } from 'svelte/attachments';
import { isComposing, toComposer } from './keys';

/**
 * Makes a dialog element modal while it is mounted. Calls `close` on Escape and on a press on the
 * backdrop. Afterwards the focus returns, or moves to the composer if another chat is on screen by
 * then.
 */
export function modal(chat: () => string | null, close: () => void): Attachment<HTMLDialogElement> {
  return (dialog) => {
    const before = { chat: untrack(chat), focus: document.activeElement };
    const press = (event: MouseEvent) => {
      if (event.target === dialog) close();
    };
    // A search box would use Escape to clear itself, and the dialog's own close event comes too
    // late.
    const key = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || isComposing(event) || event.defaultPrevented) return;
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
