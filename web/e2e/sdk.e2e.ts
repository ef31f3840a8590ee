import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { BrowserContext, Page, WebSocket } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { patience, stage } from './stage.ts';

/**
 * What the SDK promises, in real browsers: shared windows, an outbox that outlives them, a way
 * around blocked WebSockets.
 */

const { join, talk } = stage();

/** Serves the example and the built package from the server's own address. */
async function serveExample(context: BrowserContext): Promise<void> {
  await context.route(/\/(example|dist-sdk)\//, (route) => {
    const path = fileURLToPath(new URL(`..${new URL(route.request().url()).pathname}`, import.meta.url));
    if (!existsSync(path)) return route.fulfill({ status: 404 });
    const contentType = path.endsWith('.js') ? 'text/javascript' : 'text/html';
    return route.fulfill({ body: readFileSync(path), contentType });
  });
}

describe('two windows of one person', () => {
  test('share a connection, and the other carries on when the first closes', async () => {
    const [ada, bob] = await talk();
    const open = new Map<WebSocket, Page>();
    const watch = (page: Page) =>
      page.on('websocket', (socket) => {
        open.set(socket, page);
        socket.on('close', () => open.delete(socket));
      });
    watch(bob.page);
    bob.context.on('page', watch);
    await bob.page.reload();
    const second = await bob.window();
    await second.getByTestId('chat-item').first().click();
    await ada.say('to both');
    await bob.sees('to both');
    await expect.poll(() => second.getByTestId('body').allTextContents(), patience).toEqual(['to both']);
    await second.getByTestId('composer').fill('from the second');
    await second.getByTestId('composer').press('Enter');
    await ada.sees('to both', 'from the second');
    // Of whichever window: on a busy machine the second may have found the first too slow.
    await expect.poll(() => open.size, patience).toBe(1);

    await bob.page.close();
    await ada.say('still there?');
    await second.getByTestId('composer').fill('yes');
    await second.getByTestId('composer').press('Enter');
    await ada.sees('to both', 'from the second', 'still there?', 'yes');
    await expect.poll(() => second.getByTestId('body').allTextContents(), patience).toEqual(['to both', 'from the second', 'still there?', 'yes']);
    expect([...open.values()].filter((page) => page === second)).toHaveLength(1);
  });
});

describe('the outbox', () => {
  test('outlives a reload and the window that wrote it, and loses and doubles nothing', async () => {
    const [ada, bob] = await talk();
    const second = await ada.window();
    await second.getByTestId('chat-item').first().click();
    ada.cable.cut();
    await ada.offline();
    await ada.say('one', 'two');
    await second.getByTestId('composer').fill('three');
    await second.getByTestId('composer').press('Enter');
    await expect.poll(ada.pending, patience).toEqual(['one', 'two', 'three']);
    await second.close();
    ada.cable.mend();
    await ada.page.reload();
    await ada.online();
    await bob.sees('one', 'two', 'three');
    await ada.nothingPending();
    await ada.page.reload();
    await ada.online();
    await ada.sees('one', 'two', 'three');
  });
});

test('where WebSockets are blocked, people can chat all the same', async () => {
  const [ada, bob] = await talk();
  await ada.page.close();
  const page = await ada.context.newPage();
  await page.addInitScript(() => {
    // A proxy that does not support WebSockets: every attempt fails.
    globalThis.WebSocket = class extends EventTarget {
      static OPEN = 1;
      readyState = 3;
      onclose: ((close: { code: number }) => void) | null = null;
      constructor() {
        super();
        setTimeout(() => this.onclose?.({ code: 1006 }), 5);
      }
      close(): void {}
    } as never;
  });
  await page.goto(`${ada.cable.url}/chats/${await bob.chatId()}`);
  await page.locator('[data-testid="connection"][data-phase="online"]').waitFor({ state: 'attached' });
  await bob.say('can you read this?');
  await expect.poll(() => page.getByTestId('body').allTextContents(), patience).toEqual(['can you read this?']);
  await page.getByTestId('composer').fill('yes, by the stream');
  await page.getByTestId('composer').press('Enter');
  await bob.sees('can you read this?', 'yes, by the stream');
});

test('the thirty-line example runs', async () => {
  const [ada, bob] = await talk();
  await serveExample(ada.context);
  await ada.page.goto(`${ada.cable.url}/example/index.html`);
  await bob.say('hello example');
  await expect.poll(() => ada.page.locator('#messages').textContent(), patience).toBe('hello example');
  await ada.page.locator('#text').fill('hello page');
  await ada.page.locator('#text').press('Enter');
  await bob.sees('hello example', 'hello page');
  await expect.poll(() => ada.page.locator('#state').textContent(), patience).toBe(`${ada.username} is online`);
});

test('a log-out leaves no unsent text behind', async () => {
  const ada = await join('Ada');
  await ada.get('log-out').click();
  await ada.get('sign-in').waitFor();
  const left = await ada.page.evaluate(async () => Object.keys(localStorage).filter((key) => key.includes('draft') || key.includes('outbox')));
  expect(left).toEqual([]);
});

const program = `
import { Client, Rest, ProblemError, type Message } from 'fechatter-client';
import { OutboxDatabase } from 'fechatter-client/outbox';
import { shareWindows } from 'fechatter-client/windows';
const rest = new Rest();
const user = await rest.me();
const client = new Client({ user, rest, socketUrl: 'wss://chat.example.org/ws', storage: new OutboxDatabase(user.id), share: shareWindows() });
const end: () => void = client.on('message', (message: Message) => client.send(message.chat_id, message.body));
client.on('reaction.added', ({ d }) => d.emoji.length);
try { await client.edit('id', 'text', 1); } catch (err) { if (err instanceof ProblemError) end(); }
// @ts-expect-error: there is no such event, which shows that the package's types are not \`any\`.
client.on('nothing', () => {});
`;

test('an empty TypeScript project with strict settings uses the package', () => {
  const dir = mkdtempSync(joinPath(tmpdir(), 'sdk-'));
  mkdirSync(joinPath(dir, 'node_modules'));
  symlinkSync(fileURLToPath(new URL('../dist-sdk', import.meta.url)), joinPath(dir, 'node_modules', 'fechatter-client'));
  writeFileSync(joinPath(dir, 'package.json'), '{ "type": "module" }');
  writeFileSync(joinPath(dir, 'main.ts'), program);
  const strict = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipDefaultLibCheck: true, types: [], noEmit: true };
  const options = { ...strict, target: ts.ScriptTarget.ES2024, lib: ['lib.es2024.d.ts', 'lib.dom.d.ts'], module: ts.ModuleKind.NodeNext };
  const found = ts.getPreEmitDiagnostics(ts.createProgram([joinPath(dir, 'main.ts')], options));
  rmSync(dir, { recursive: true });
  expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))).toEqual([]);
});
