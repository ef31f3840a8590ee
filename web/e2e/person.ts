import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Locator, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { Cable, type Server } from './server.ts';

const paths = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export function launch(): Promise<Browser> {
  const executablePath = paths.find((path) => existsSync(path));
  if (!executablePath) throw new Error('no chromium found: install it, or run scripts/setup.sh');
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
  return chromium.launch({ executablePath, args, timeout: 2 * patience.timeout });
}

const password = 'correct horse';
/** How long a test waits for what must happen: it bounds a hang, a busy machine may need it. */
export const patience = { timeout: 60_000, interval: 50 };
let counter = 0;

/** A user with a browser of their own. */
export class Person {
  /** What the browser reported: policy violations and errors thrown by the page. */
  readonly complaints: string[] = [];

  private constructor(
    readonly username: string,
    readonly name: string,
    readonly context: BrowserContext,
    readonly page: Page,
    readonly cable: Cable,
  ) {
    this.listen(page);
  }

  /** A new user whom everybody else knows, by a chat that is hidden: chats with them are no requests. */
  static async join(browser: Browser, server: Server, name: string, options: BrowserContextOptions = {}): Promise<Person> {
    const person = await Person.stranger(browser, server, name, options);
    const create = async () => (await person.api<{ id: string }>('POST', '/chats', { kind: 'public', name: 'everybody' })).id;
    const lobby = await (server.lobby ??= create());
    await person.api('POST', `/chats/${lobby}/join`);
    const { id } = await person.api<{ id: string }>('GET', '/me');
    await person.api('PATCH', `/chats/${lobby}/members/${id}`, { hidden: true });
    await expect.poll(() => person.get('chat-item').count(), patience).toBe(0);
    return person;
  }

  /** A new user, signed up and logged in through the API, with the page open. */
  static async stranger(browser: Browser, server: Server, name: string, options: BrowserContextOptions = {}): Promise<Person> {
    const person = await Person.arrive(browser, server, name, options);
    const { username, cable } = person;
    for (const [path, data] of [
      ['users', { username, password, display_name: name }],
      ['sessions', { username, password, device: 'browser' }],
    ] as const) {
      const answer = await person.context.request.post(`${cable.url}/api/v1/${path}`, { data });
      if (!answer.ok()) throw new Error(`sign up ${username}: ${answer.status()} ${await answer.text()}`);
    }
    await person.page.goto(cable.url);
    await person.online();
    return person;
  }

  /** A new user, signed up through the page. */
  static async signUp(browser: Browser, server: Server, name: string, options: BrowserContextOptions = {}): Promise<Person> {
    const person = await Person.arrive(browser, server, name, options);
    await person.page.goto(person.cable.url);
    await person.get('turn').click();
    await person.introduce();
    await person.online();
    return person;
  }

  /** Somebody who has opened a link, which brings them to the form for new users. */
  static async byLink(browser: Browser, server: Server, name: string, fragment: string): Promise<Person> {
    const person = await Person.arrive(browser, server, name, {});
    await person.page.goto(`${person.cable.url}/#${fragment}`);
    return person;
  }

  /** Fills in the form for new users. */
  async introduce(): Promise<void> {
    await this.get('username').fill(this.username);
    await this.get('display-name').fill(this.name);
    await this.get('password').fill(password);
    await this.get('submit').click();
  }

  private static async arrive(browser: Browser, server: Server, name: string, options: BrowserContextOptions): Promise<Person> {
    const cable = await Cable.to(server);
    const context = await browser.newContext({ locale: 'en-GB', serviceWorkers: 'block', ...options });
    context.setDefaultTimeout(patience.timeout);
    const word = name.toLowerCase().replace(/[^a-z0-9]/g, '').slice(0, 12) || 'user';
    return new Person(`${word}${process.pid % 1000}${++counter}`, name, context, await context.newPage(), cable);
  }

  get = (testId: string): Locator => this.page.getByTestId(testId);

  async online(): Promise<void> {
    await this.page.locator('[data-testid="connection"][data-phase="online"]').waitFor({ state: 'attached' });
  }

  async offline(): Promise<void> {
    await this.page.locator('[data-testid="connection"]:not([data-phase="online"])').waitFor({ state: 'attached' });
  }

  /** Opens a direct chat through the dialog. */
  async writeTo(other: Person): Promise<void> {
    await this.get('new-chat').click();
    await this.get('people-search').fill(other.username);
    await this.page.locator(`[data-testid="person"][data-username="${other.username}"]`).click();
    await this.titled(other.name);
  }

  /** Creates a group or channel through the dialog, and opens it. */
  async create(kind: 'group' | 'private' | 'public', name: string, ...people: Person[]): Promise<void> {
    await this.get('new-chat').click();
    await this.get(`kind-${kind}`).click();
    await this.get('chat-name').fill(name);
    for (const person of people) {
      await this.get('people-search').fill(person.username);
      await this.page.locator(`[data-testid="person"][data-username="${person.username}"]`).click();
    }
    await this.get('create-chat').click();
    await this.titled(name);
  }

  async open(title: string): Promise<void> {
    await this.item(title).click();
    await this.titled(title);
  }

  /** The chat with that title in the list. */
  item(title: string): Locator {
    return this.get('chat-item').filter({ has: this.page.getByTestId('chat-title').getByText(title, { exact: true }) });
  }

  async say(...texts: string[]): Promise<void> {
    for (const text of texts) {
      await this.get('composer').fill(text);
      await this.get('composer').press('Enter');
    }
  }

  /** The message with this text. */
  message(text: string): Locator {
    return this.get('message').filter({ has: this.page.getByTestId('body').getByText(text, { exact: true }) });
  }

  /** Hovers over a message and clicks one of its actions. */
  async act(text: string, action: 'react' | 'reply' | 'edit' | 'more'): Promise<void> {
    const message = this.message(text);
    await message.hover();
    await message.getByTestId(action).click();
  }

  /** Deletes a message and confirms. */
  async delete(text: string): Promise<void> {
    await this.act(text, 'more');
    await this.get('delete').click();
    await this.get('confirm').click();
  }

  async react(text: string, emoji: string): Promise<void> {
    await this.act(text, 'react');
    await this.page.locator(`[data-testid="emoji"][data-emoji="${emoji}"]`).click();
  }

  bodies = (): Promise<string[]> => this.get('body').allTextContents();
  pending = (): Promise<string[]> => this.get('pending-body').allTextContents();

  /** Waits until exactly these messages are on screen, in this order. */
  async sees(...texts: string[]): Promise<void> {
    await expect.poll(this.bodies, patience).toEqual(texts);
  }

  async nothingPending(): Promise<void> {
    await expect.poll(this.pending, patience).toEqual([]);
  }

  /** Waits until the server has stored that everything is read. */
  async hasReadAll(): Promise<void> {
    const unread = async () => (await this.api<{ chats: { unread: number }[] }>('GET', '/chats')).chats.map((chat) => chat.unread);
    await expect.poll(async () => Math.max(0, ...(await unread())), patience).toBe(0);
  }

  /** Calls the API as the page would. */
  async api<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    return this.page.evaluate(
      async ([m, p, b, h]) => {
        const body = b === undefined ? undefined : JSON.stringify(b);
        const headers = body === undefined ? h : { ...h, 'Content-Type': 'application/json' };
        const answer = await fetch(`/api/v1${p}`, { method: m, headers, body });
        if (!answer.ok) throw new Error(`${m} ${p}: ${answer.status} ${await answer.text()}`);
        return answer.status === 204 ? null : answer.json();
      },
      [method, path, body, headers] as const,
    ) as Promise<T>;
  }

  /** Sends all this through the API: the first, then those between at once, then the last. */
  async post(chatId: string, bodies: readonly string[]): Promise<void> {
    await this.page.evaluate(
      async ([id, all]) => {
        const send = async (body: string) => {
          const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() };
          const answer = await fetch(`/api/v1/chats/${id}/messages`, { method: 'POST', headers, body: JSON.stringify({ body }) });
          if (!answer.ok) throw new Error(`post to ${id}: ${answer.status} ${await answer.text()}`);
        };
        await send(all[0]!);
        await Promise.all(all.slice(1, -1).map(send));
        await send(all.at(-1)!);
      },
      [chatId, bodies] as const,
    );
  }

  /** The texts of the messages that the browser keeps for when there is no network. */
  kept = (): Promise<string[]> =>
    this.page.evaluate(async () => {
      const done = <T>(request: IDBRequest<T>) => new Promise<T>((resolve, reject) => Object.assign(request, { onsuccess: () => resolve(request.result), onerror: () => reject(request.error) }));
      if (!(await indexedDB.databases()).some(({ name }) => name === 'fechatter.shelf')) return [];
      const db = await done(indexedDB.open('fechatter.shelf'));
      const held = (await done(db.transaction('kept').objectStore('kept').get('latest'))) as { chats: { lines: { message: { body: string } }[] }[] } | undefined;
      db.close();
      return held?.chats.flatMap(({ lines }) => lines.map(({ message }) => message.body)) ?? [];
    });

  chatId = (): Promise<string> => this.get('chat').getAttribute('data-chat').then((id) => id!);

  /** A second window of the same login. */
  async window(): Promise<Page> {
    const page = await this.context.newPage();
    this.listen(page);
    await page.goto(this.cable.url);
    await page.locator('[data-testid="connection"][data-phase="online"]').waitFor({ state: 'attached' });
    return page;
  }

  async dispose(): Promise<void> {
    await this.context.close();
    this.cable.dispose();
  }

  async titled(title: string): Promise<void> {
    await this.get('open-title').getByText(title, { exact: true }).waitFor();
  }

  private listen(page: Page): void {
    page.on('pageerror', (err) => this.complaints.push(String(err)));
    page.on('console', (message) => {
      if (/Content Security Policy|Trusted ?Type/i.test(message.text())) this.complaints.push(message.text());
    });
  }
}
