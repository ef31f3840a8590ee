import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { BrowserContext } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { patience, stage } from './stage.ts';

/** What the SDK promises, in real browsers: windows that share, an outbox that outlives them, a way around blocked WebSockets. */

const { join, talk } = stage();

/** Puts the example and the built package on the server's own address. */
async function serveExample(context: BrowserContext): Promise<void> {
  await context.route(/\/(example|dist-sdk)\//, (route) => {
    const path = fileURLToPath(new URL(`..${new URL(route.request().url()).pathname}`, import.meta.url));
    if (!existsSync(path)) return route.fulfill({ status: 404 });
    const contentType = path.endsWith('.js') ? 'text/javascript' : 'text/html';
    return route.fulfill({ body: readFileSync(path), contentType });
  });
}

describe('two windows of one person', () => {
  test('share a connection, and the other goes on when the first is closed', async () => {
    const [ada, bob] = await talk();
    const sockets: string[] = [];
    const second = await bob.window();
    second.on('websocket', (socket) => sockets.push(socket.url()));
    await second.getByTestId('chat-item').first().click();
    await ada.say('to both');
    await bob.sees('to both');
    await expect.poll(() => second.getByTestId('body').allTextContents(), patience).toEqual(['to both']);
    await second.getByTestId('composer').fill('from the second');
    await second.getByTestId('composer').press('Enter');
    await ada.sees('to both', 'from the second');
    expect(sockets).toEqual([]);

    await bob.page.close();
    await ada.say('still there?');
    await second.getByTestId('composer').fill('yes');
    await second.getByTestId('composer').press('Enter');
    await ada.sees('to both', 'from the second', 'still there?', 'yes');
    await expect.poll(() => second.getByTestId('body').allTextContents(), patience).toEqual(['to both', 'from the second', 'still there?', 'yes']);
    expect(sockets).toHaveLength(1);
  });
});

describe('the outbox', () => {
  test('outlives a reload and the window that wrote it: nothing is lost or doubled', async () => {
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

test('where WebSockets are blocked, people chat all the same', async () => {
  const [ada, bob] = await talk();
  await ada.page.close();
  const page = await ada.context.newPage();
  await page.addInitScript(() => {
    // A proxy that knows no WebSockets: every attempt fails.
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

test('the example of thirty lines runs', async () => {
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

test('nobody else reads what one left unsent', async () => {
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
// @ts-expect-error: there is no such event, so the types are those of the package and not \`any\`.
client.on('nothing', () => {});
`;

test('an empty TypeScript project with strict settings uses the package', () => {
  const dir = mkdtempSync(joinPath(tmpdir(), 'sdk-'));
  mkdirSync(joinPath(dir, 'node_modules'));
  symlinkSync(fileURLToPath(new URL('../dist-sdk', import.meta.url)), joinPath(dir, 'node_modules', 'fechatter-client'));
  writeFileSync(joinPath(dir, 'package.json'), '{ "type": "module" }');
  writeFileSync(joinPath(dir, 'main.ts'), program);
  const strict = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, skipLibCheck: false, types: [], noEmit: true };
  const options = { ...strict, target: ts.ScriptTarget.ES2024, lib: ['lib.es2024.d.ts', 'lib.dom.d.ts'], module: ts.ModuleKind.NodeNext };
  const found = ts.getPreEmitDiagnostics(ts.createProgram([joinPath(dir, 'main.ts')], options));
  rmSync(dir, { recursive: true });
  expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '))).toEqual([]);
});
