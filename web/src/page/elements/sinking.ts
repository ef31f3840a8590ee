import type { Attachment } from 'svelte/attachments';

/** How many pixels down a finger lets go of what it draws. */
const enough = 72;

/** What a finger draws down goes along, and closes from a way on; what is scrolled scrolls first. */
export function sinking(close: () => void): Attachment<HTMLElement> {
  return (element) => {
    let from: { x: number; y: number } | null = null;
    let gone = 0;

    function start({ touches }: TouchEvent) {
      const [finger] = touches;
      from = finger && touches.length === 1 && element.scrollTop <= 0 ? { x: finger.clientX, y: finger.clientY } : null;
      gone = 0;
    }

    function move(event: TouchEvent) {
      const [finger] = event.touches;
      if (!from || !finger) return;
      const down = finger.clientY - from.y;
      // Upwards and sideways it is not meant.
      if (gone === 0 && (down <= 0 || Math.abs(finger.clientX - from.x) > down)) return void (from = null);
      event.preventDefault();
      gone = Math.max(0, down);
      element.style.translate = `0 ${gone}px`;
    }

    function end({ type }: TouchEvent) {
      const sunk = type === 'touchend' && gone >= enough;
      from = null;
      gone = 0;
      if (sunk) close();
      else element.style.translate = '';
    }

    const heard = { touchstart: start, touchmove: move, touchend: end, touchcancel: end } as const;
    // Not passive: what goes along must not scroll.
    for (const [type, listener] of Object.entries(heard)) element.addEventListener(type, listener as EventListener, { passive: false });
    return () => {
      for (const [type, listener] of Object.entries(heard)) element.removeEventListener(type, listener as EventListener);
    };
  };
}
