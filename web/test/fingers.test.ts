// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fingers } from '../src/page/elements/fingers';

let element: HTMLElement;
let end: () => void;
let did: unknown[];
let swipes: boolean;

beforeEach(() => {
  vi.useFakeTimers();
  did = [];
  swipes = true;
  element = document.body.appendChild(document.createElement('article'));
  element.innerHTML = '<p>text</p><pre>code</pre>';
  end = fingers({ press: (x, y) => did.push([x, y]), swipe: () => (swipes ? () => did.push('swiped') : undefined) })(element) as () => void;
});

afterEach(() => {
  end();
  element.remove();
  vi.useRealTimers();
});

function finger(type: string, x = 100, y = 100, { on = 'p', pointerType = 'touch' } = {}): void {
  const event = Object.assign(new Event(`pointer${type}`, { bubbles: true }), { clientX: x, clientY: y, pointerType, isPrimary: true });
  element.querySelector(on)!.dispatchEvent(event);
}

test('a finger that rests presses, once, wherever it trembles', () => {
  finger('down');
  finger('move', 104, 96);
  vi.advanceTimersByTime(1_000);
  finger('up');
  expect(did).toEqual([[100, 100]]);
});

test('a tap, a scroll and a mouse do nothing', () => {
  finger('down');
  finger('up');
  finger('down');
  finger('move', 100, 140);
  finger('move', 20, 150);
  vi.advanceTimersByTime(1_000);
  finger('up');
  finger('down', 100, 100, { pointerType: 'mouse' });
  vi.advanceTimersByTime(1_000);
  expect(did).toEqual([]);
});

test('a swipe to the left takes the element along, and counts from a way on', () => {
  finger('down');
  finger('move', 60);
  expect([element.style.translate, element.hasAttribute('data-drawn'), element.hasAttribute('data-enough')]).toEqual(['-30px', true, false]);
  finger('up');
  expect([did, element.style.translate]).toEqual([[], '']);
  finger('down');
  finger('move', 0);
  expect(element.style.translate).toBe('-72px');
  vi.advanceTimersByTime(1_000);
  finger('up');
  expect([did, element.style.translate, element.hasAttribute('data-drawn')]).toEqual([['swiped'], '', false]);
});

test('a swipe that comes back, is cancelled or means nothing does nothing', () => {
  finger('down');
  finger('move', 20);
  finger('move', 98);
  finger('up');
  finger('down');
  finger('move', 20);
  finger('cancel');
  finger('up');
  swipes = false;
  finger('down');
  finger('move', 20);
  expect(element.style.translate).toBe('');
  finger('up');
  expect(did).toEqual([]);
});

test('the click of a finger that pressed does nothing', () => {
  element.addEventListener('click', () => did.push('click'));
  const click = () => element.querySelector('p')!.click();
  finger('down');
  vi.advanceTimersByTime(1_000);
  finger('up');
  click();
  finger('down');
  finger('up');
  click();
  expect(did).toEqual([[100, 100], 'click']);
});

test('what has a use of its own for fingers is left alone', () => {
  finger('down', 100, 100, { on: 'pre' });
  finger('move', 0);
  vi.advanceTimersByTime(1_000);
  finger('up');
  expect(did).toEqual([]);
});
