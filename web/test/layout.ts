import { vi } from 'vitest';

/** A layout for jsdom, which has none: elements are high enough for what the tests put in. */
export function installLayout(): void {
  const height = (element: Element) => (element.matches('[data-testid="messages"], [data-testid="chat-list"]') ? 2_000 : 40);
  class Observer {
    constructor(private readonly callback: ResizeObserverCallback) {}
    observe(target: Element): void {
      const entry = { target, contentRect: { height: height(target), width: 800 } } as unknown as ResizeObserverEntry;
      queueMicrotask(() => this.callback([entry], this as unknown as ResizeObserver));
    }
    unobserve(): void {}
    disconnect(): void {}
  }
  vi.stubGlobal('ResizeObserver', Observer);
  // A desk: with a mouse.
  vi.stubGlobal('matchMedia', (query: string) => ({ matches: !query.includes('hover: none') }));
  Object.defineProperty(HTMLElement.prototype, 'offsetParent', { configurable: true, get: () => document.body });
  Element.prototype.scrollTo = () => {};
  Element.prototype.scrollBy = () => {};
  Element.prototype.scrollIntoView = () => {};
  // jsdom has none, and transitions need one.
  Element.prototype.animate = () => ({ cancel: () => {} }) as Animation;
  HTMLDialogElement.prototype.showModal = function () {
    this.open = true;
  };
}
