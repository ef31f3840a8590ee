// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sinking } from '../src/page/elements/sinking';

let element: HTMLElement;
let end: () => void;
let closed: number;

beforeEach(() => {
  closed = 0;
  element = document.body.appendChild(document.createElement('div'));
  end = sinking(() => closed++)(element) as () => void;
});

afterEach(() => {
  end();
  element.remove();
});

/** Reports whether the browser may still scroll. */
function touch(type: string, y?: number, x = 100): boolean {
  const event = new Event(`touch${type}`, { bubbles: true, cancelable: true });
  return element.dispatchEvent(Object.assign(event, { touches: y === undefined ? [] : [{ clientX: x, clientY: y }] }));
}

test('a finger that draws it down far enough closes it', () => {
  touch('start', 100);
  expect(touch('move', 180)).toBe(false);
  expect(element.style.translate).toBe('0 80px');
  touch('end');
  expect(closed).toBe(1);
});

test('it comes back after less, after a return and after a cancel', () => {
  for (const [to, last] of [[160, 'end'], [100, 'end'], [300, 'cancel']] as const) {
    touch('start', 100);
    touch('move', 110);
    touch('move', to);
    touch(last);
    expect([closed, element.style.translate]).toEqual([0, '']);
  }
});

test('what goes up, sideways or is scrolled is left to the browser', () => {
  touch('start', 100);
  expect([touch('move', 90), touch('move', 300)]).toEqual([true, true]);
  touch('start', 100);
  expect(touch('move', 110, 200)).toBe(true);
  element.scrollTop = 20;
  touch('start', 100);
  expect(touch('move', 300)).toBe(true);
  touch('end');
  expect([closed, element.style.translate]).toEqual([0, '']);
});
