import type { Attachment } from 'svelte/attachments';

interface Gestures {
  /** A finger rests at this point of the window. */
  readonly press: (x: number, y: number) => void;
  /** What a swipe to the left does; undefined for nothing. */
  readonly swipe?: () => (() => void) | undefined;
}

const pressMs = 450;
/** How many pixels a finger that rests may move. */
const slop = 10;
/** How far the element goes along, and from where on letting go counts. */
const most = 72;
const enough = 48;
/** What has a use of its own for a finger that rests, and for one that goes along. */
const rested = 'a, button, input, textarea, select, pre, [tabindex="0"]';
const drawn = 'input, textarea, select, pre, [tabindex="0"]';

/** What fingers can do with an element besides tapping it: mice and pens have other ways. */
export function fingers({ press, swipe }: Gestures): Attachment<HTMLElement> {
  return (element) => {
    let from: { x: number; y: number } | null = null;
    let gone = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;

    /** Whether the finger that is to be lifted has done its work. */
    let pressed = false;

    function show(by: number) {
      gone = by;
      element.style.translate = by ? `${by}px` : '';
      element.toggleAttribute('data-drawn', by < 0);
      element.toggleAttribute('data-enough', by <= -enough);
    }

    function end() {
      clearTimeout(timer);
      from = null;
      show(0);
    }

    function down(event: PointerEvent) {
      end();
      pressed = false;
      const within = (others: string) => (event.target as Element).closest(others) !== element.closest(others);
      if (event.pointerType !== 'touch' || !event.isPrimary || within(drawn)) return;
      const at = { x: event.clientX, y: event.clientY };
      from = at;
      if (within(rested)) return;
      timer = setTimeout(() => {
        end();
        pressed = true;
        press(at.x, at.y);
      }, pressMs);
    }

    function move(event: PointerEvent) {
      if (!from) return;
      const [x, y] = [event.clientX - from.x, event.clientY - from.y];
      if (Math.hypot(x, y) > slop) clearTimeout(timer);
      // It scrolls.
      if (gone === 0 && Math.abs(y) > Math.max(slop, Math.abs(x))) return end();
      if (swipe?.()) show(Math.min(0, Math.max(-most, x + slop)));
    }

    function up() {
      const swiped = gone <= -enough;
      end();
      if (swiped) swipe?.()?.();
    }

    function click(event: MouseEvent) {
      if (!pressed) return;
      pressed = false;
      event.preventDefault();
      event.stopImmediatePropagation();
    }

    const heard = { pointerdown: down, pointermove: move, pointerup: up, pointercancel: end } as const;
    for (const [type, listener] of Object.entries(heard)) element.addEventListener(type, listener as EventListener);
    element.addEventListener('click', click, true);
    return () => {
      end();
      for (const [type, listener] of Object.entries(heard)) element.removeEventListener(type, listener as EventListener);
      element.removeEventListener('click', click, true);
    };
  };
}
