import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { launch, patience } from './person.ts';
import type { Server } from './server.ts';

export { launch, patience };

/** Somebody with a browser who has yet to come in. */
export class Visitor {
  /** What the browser reported: policy violations and errors thrown by the page. */
  readonly complaints: string[] = [];

  private constructor(
    private readonly origin: string,
    private readonly context: BrowserContext,
    readonly page: Page,
  ) {
    page.on('pageerror', (err) => this.complaints.push(String(err)));
    page.on('console', (message) => {
      if (/Content Security Policy|Trusted ?Type/i.test(message.text())) this.complaints.push(message.text());
    });
  }

  static async come(browser: Browser, server: Server, path: string, options: BrowserContextOptions): Promise<Visitor> {
    const context = await browser.newContext({ locale: 'en-GB', serviceWorkers: 'block', ...options });
    context.setDefaultTimeout(patience.timeout);
    const visitor = new Visitor(`http://127.0.0.1:${server.port}`, context, await context.newPage());
    await visitor.page.goto(visitor.origin + path);
    return visitor;
  }

  get = (testId: string): Locator => this.page.getByTestId(testId);

  /** Opens a link of the page, in place of what is open. */
  async go(path: string): Promise<void> {
    await this.page.goto('about:blank');
    await this.page.goto(this.origin + path);
  }

  /** Fills in fields by their names. */
  async fill(fields: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, value] of Object.entries(fields)) await this.get(name).fill(value);
  }

  /** Calls the API as the page would. */
  api<T>(method: string, path: string, body?: unknown): Promise<T> {
    return this.page.evaluate(
      async ([m, p, b]) => {
        const init = b === undefined ? { method: m } : { method: m, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(b) };
        const answer = await fetch(`/api/v1${p}`, init);
        if (!answer.ok) throw new Error(`${m} ${p}: ${answer.status} ${await answer.text()}`);
        return answer.status === 204 ? null : answer.json();
      },
      [method, path, body] as const,
    ) as Promise<T>;
  }

  chatId = (): Promise<string> => this.get('chat').getAttribute('data-chat').then((id) => id!);

  async user(username: string): Promise<{ id: string }> {
    const { users } = await this.api<{ users: { id: string; username: string }[] }>('GET', `/users?q=${username}`);
    return users.find((one) => one.username === username)!;
  }

  leave = (): Promise<void> => this.context.close();
}
