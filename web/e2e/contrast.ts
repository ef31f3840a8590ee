import type { CDPSession, Page } from 'playwright-core';

const kinds = 'button, a[href], [role="option"], [role="menuitem"]';

/** The states that a control can be in, by what the browser is made to believe of it. */
const states = { rest: [], hover: ['hover'], focus: ['focus', 'focus-visible'], active: ['hover', 'active'], disabled: [] } as const;

/** Judges all controls on screen, in both themes and every state, by the colours that the browser computed. */
export class Contrast {
  /** What cannot be read: where, the control, its state and the ratio. */
  readonly faults = new Set<string>();
  /** The kinds of control that were judged. */
  readonly judged = new Set<string>();

  private constructor(
    private readonly page: Page,
    private readonly devtools: CDPSession,
  ) {}

  static async of(page: Page): Promise<Contrast> {
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('DOM.enable');
    await devtools.send('CSS.enable');
    return new Contrast(page, devtools);
  }

  async judge(screen: string): Promise<void> {
    for (const kind of await this.page.evaluate(mark, kinds)) this.judged.add(kind);
    const { root } = await this.devtools.send('DOM.getDocument', { depth: 0 });
    const { nodeIds } = await this.devtools.send('DOM.querySelectorAll', { nodeId: root.nodeId, selector: '[data-judged]' });
    const before = await this.page.evaluate(() => document.documentElement.dataset['theme']);
    for (const theme of ['light', 'dark']) {
      await this.page.evaluate((name) => (document.documentElement.dataset['theme'] = name), theme);
      for (const [state, forced] of Object.entries(states)) {
        // A control may be gone by now, as a reconnect makes another one.
        const force = (forcedPseudoClasses: string[]) =>
          Promise.all(nodeIds.map((nodeId) => this.devtools.send('CSS.forcePseudoState', { nodeId, forcedPseudoClasses }).catch(() => {})));
        await force([...forced]);
        for (const fault of await this.page.evaluate(measure, state === 'disabled')) this.faults.add(`${screen}, ${theme}, ${state}: ${fault}`);
        await force([]);
      }
    }
    await this.page.evaluate((theme) => (document.documentElement.dataset['theme'] = theme), before);
  }
}

/** Marks one visible control of each kind, and returns the kinds. Runs in the page. */
function mark(selector: string): string[] {
  document.querySelectorAll('[data-judged]').forEach((el) => el.removeAttribute('data-judged'));
  const seen = new Set<string>();
  for (const el of document.querySelectorAll<HTMLElement>(selector)) {
    const kind = [el.parentElement!.className, el.tagName, el.className, el.dataset['testid'] ?? '', el.getAttribute('aria-pressed') ?? el.getAttribute('aria-current') ?? el.getAttribute('aria-selected') ?? '']
      .join(' ')
      .replace(/svelte-\w+/g, '')
      .replace(/\s+/g, ' ')
      .trim();
    if (seen.has(kind) || !el.checkVisibility() || el.getBoundingClientRect().width < 2) continue;
    seen.add(kind);
    el.dataset['judged'] = kind;
  }
  return [...seen];
}

/** The marked controls of which a text (4.5:1) or an icon (3:1) cannot be told from its ground. Runs in the page. */
function measure(disabled: boolean): string[] {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })!;
  type Colour = [number, number, number, number];

  const parse = (css: string): Colour => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = css;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r!, g!, b!, a! / 255];
  };
  const over = (top: Colour, below: Colour, alpha = top[3]): Colour => {
    const mix = (i: 0 | 1 | 2) => top[i] * alpha + below[i] * (1 - alpha);
    return [mix(0), mix(1), mix(2), 1];
  };
  const ground = (el: Element | null): Colour => {
    if (!el) return [255, 255, 255, 1];
    const style = getComputedStyle(el);
    const below = ground(el.parentElement);
    const own = parse(style.backgroundColor);
    return over(own, below, own[3] * Number(style.opacity));
  };
  const opacity = (el: Element | null): number => (el ? Number(getComputedStyle(el).opacity) * opacity(el.parentElement) : 1);
  const luminance = (colour: Colour): number => {
    const [r, g, b] = colour.slice(0, 3).map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const ratio = (el: Element): number => {
    const below = ground(el);
    const ink = parse(getComputedStyle(el).color);
    const [a, b] = [luminance(over(ink, below, ink[3] * opacity(el))), luminance(below)];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  const drawn = (el: Element) => el.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !el.closest('.unseen');

  const faultsOf = (control: HTMLElement): string[] => {
    const texts = [control, ...control.querySelectorAll('*')].filter((el) =>
      [...el.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && /[\p{L}\p{N}]/u.test(node.textContent!)),
    );
    const judge = (el: Element, least: number, what: string) => (drawn(el) && ratio(el) < least ? [`${control.dataset['judged']}: ${what} ${ratio(el).toFixed(2)}`] : []);
    return [...texts.flatMap((el) => judge(el, 4.5, `"${el.textContent!.trim().slice(0, 20)}"`)), ...[...control.querySelectorAll('svg')].flatMap((el) => judge(el, 3, 'icon'))];
  };
  return [...document.querySelectorAll<HTMLElement>('[data-judged]')].flatMap((control) => {
    if (!disabled) return faultsOf(control);
    if (!(control instanceof HTMLButtonElement)) return [];
    const was = control.disabled;
    control.disabled = true;
    const faults = faultsOf(control);
    control.disabled = was;
    return faults;
  });
}
