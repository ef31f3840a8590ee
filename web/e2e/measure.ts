import { afterAll, beforeAll, test } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { frames, quantile, Table, times } from './figures.ts';
import { lengthen, readAll } from './lengthen.ts';
import { launch, Person } from './person.ts';
import { Server } from './server.ts';

/** How fast the page is, on this machine: `make measure`. It judges nothing. */

const table = new Table();
const messages = 100_000;
let server: Server;
let browser: Browser;
let ada: Person;
let bob: Person;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  [ada, bob] = [await Person.join(browser, server, 'Ada'), await Person.join(browser, server, 'Bob')];
  await ada.writeTo(bob);
});

afterAll(async () => {
  table.print();
  await browser?.close();
  await server?.dispose();
});

async function fill(chat: string, count: number): Promise<void> {
  await ada.post(chat, Array.from({ length: count }, (_, i) => `line ${i} of **many**, with \`code\``));
}

/**
 * Opens a page in a browser with an empty cache. Returns when an element appeared, from the start
 * of the navigation, and how much was loaded.
 */
async function cold(url: string, selector: string, cookies: Awaited<ReturnType<Person['context']['cookies']>>): Promise<{ ms: number; bytes: number }> {
  const context = await browser.newContext({ serviceWorkers: 'block' });
  await context.addCookies(cookies);
  const page = await context.newPage();
  const network = await context.newCDPSession(page);
  await network.send('Network.enable');
  let bytes = 0;
  network.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
  await page.addInitScript((wanted) => {
    const look = () => (document.querySelector(wanted) ? requestAnimationFrame(() => Object.assign(globalThis, { thereAt: performance.now() })) : requestAnimationFrame(look));
    look();
  }, selector);
  await page.goto(url);
  const ms = await page.waitForFunction(() => (globalThis as { thereAt?: number }).thereAt).then((held) => held.jsonValue());
  await context.close();
  return { ms: ms!, bytes };
}

test('load', async () => {
  const id = await ada.chatId();
  await fill(id, 60);
  const cookies = await ada.context.cookies();
  const url = `http://127.0.0.1:${server.port}`;
  await cold(url, '[data-testid="sign-in"]', []);
  for (const [what, path, selector, as] of [
    ['sign-in form usable', '', '[data-testid="sign-in"]', []],
    ['logged in: composer usable', `/chats/${id}`, '#composer', cookies],
    ['logged in: messages shown', `/chats/${id}`, '[data-message]', cookies],
  ] as const) {
    const opened = [];
    for (let i = 0; i < 10; i++) opened.push(await cold(url + path, selector, [...as]));
    table.add(what, times(opened.map(({ ms }) => ms)));
    if (path === '') table.add('first load', `${(quantile(opened.map(({ bytes }) => bytes), 0.5) / 1000).toFixed(1)} kB over the wire`);
  }
});

test('switching between chats that are held', async () => {
  const first = await ada.chatId();
  await ada.create('group', 'Tea', bob);
  const second = await ada.chatId();
  await fill(second, 60);
  await ada.page.waitForTimeout(500);
  const took = await ada.page.evaluate(async (ids) => {
    const frame = () => new Promise(requestAnimationFrame);
    const shown = (id: string) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!document.querySelector(`[data-testid="chat"][data-chat="${id}"] [data-message]`)) return;
          observer.disconnect();
          resolve();
        };
        const observer = new MutationObserver(look);
        observer.observe(document.body, { childList: true, subtree: true });
      });
    const all: { there: number; drawn: number }[] = [];
    for (let i = 0; i < 42; i++) {
      const id = ids[i % 2]!;
      const there = shown(id);
      const begin = performance.now();
      document.querySelector<HTMLElement>(`[data-testid="chat-item"][data-chat="${id}"]`)!.click();
      await there;
      const made = performance.now() - begin;
      await frame();
      await frame();
      all.push({ there: made, drawn: performance.now() - begin });
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    return all.slice(2);
  }, [first, second]);
  table.add('switch, click to the new list', times(took.map(({ there }) => there)));
  table.add('the same, to the second frame after it', times(took.map(({ drawn }) => drawn)));
});

/** Scrolls by so many pixels per frame. Returns the times between frames and the most elements. */
async function scroll(page: Page, selector: string, by: number): Promise<{ between: number[]; most: number }> {
  return page.locator(selector).evaluate(async (el, step) => {
    const frame = () => new Promise<number>(requestAnimationFrame);
    const between: number[] = [];
    let most = 0;
    let last = await frame();
    for (let i = 0; i < 600; i++) {
      el.scrollTop += step;
      const now = await frame();
      between.push(now - last);
      last = now;
      if (i % 10 === 0) most = Math.max(most, document.querySelectorAll('*').length);
    }
    return { between, most };
  }, by);
}

async function empty(by: number): Promise<number[]> {
  const page = await browser.newPage();
  await page.setContent('<div id="list" style="height:600px;overflow-y:auto"><div style="height:5000000px;background:linear-gradient(#fff,#ccc)"></div></div>');
  const { between } = await scroll(page, '#list', by);
  await page.close();
  return between;
}

/** The time from a frame's arrival at the socket until its content was painted. */
async function drawn(person: Person, send: (text: string) => Promise<unknown>): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < 25; i++) {
    const text = `event ${i} ${Math.random()}`;
    const seen = person.page.evaluate(async (wanted) => {
      const held = globalThis as unknown as { arrived: number };
      const last = () => [...document.querySelectorAll('[data-testid="body"]')].at(-1)?.textContent;
      while (last() !== wanted) await new Promise(requestAnimationFrame);
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
      return performance.now() - held.arrived;
    }, text);
    await send(text);
    all.push(await seen);
  }
  return all;
}

test('a history of a hundred thousand messages', async () => {
  await bob.page.addInitScript(() => {
    const Native = WebSocket;
    globalThis.WebSocket = class extends Native {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        this.addEventListener('message', ({ data }) => {
          if (String(data).includes('message.created')) Object.assign(globalThis, { arrived: performance.now() });
        });
      }
    };
  });
  await ada.create('group', 'Long', bob);
  const id = await ada.chatId();
  const me = await ada.api<{ id: string }>('GET', '/me');
  let key = 0;
  const send = (body: string) => ada.api('POST', `/chats/${id}/messages`, { body }, { 'Idempotency-Key': `event${key++}` });
  await bob.page.reload();
  await bob.online();
  await bob.open('Long');
  table.add('event to paint, few lines held', times(await drawn(bob, send)));

  await lengthen(bob, id, me.id, messages);
  await bob.page.reload();
  await bob.online();
  await bob.open('Long');
  await readAll(bob);
  for (const [what, by] of [['wheel', 120], ['a page a frame', 900]] as const) {
    const { between, most } = await scroll(bob.page, '[data-testid="messages"]', by);
    const bare = await empty(by);
    table.add(`scroll 100,000, ${what}`, `${frames(between)}; ${most} elements at most`);
    table.add(`the same, an empty page`, `${frames(bare)}; p95 ratio ${(quantile(between, 0.95) / quantile(bare, 0.95)).toFixed(2)}`);
  }
  await bob.get('to-latest').click();
  await bob.page.waitForTimeout(500);
  table.add('event to paint, 100,000 lines held', times(await drawn(bob, send)));
});
