// @vitest-environment jsdom
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import App from '../src/page/App.svelte';
import { Page } from '../src/page/state/page.svelte';
import { FakeServer, install, pass, uninstall } from './fake';
import { installLayout } from './layout';

/** What is on screen comes first, however many chats there are. */

let app: ReturnType<typeof mount>;
let server: FakeServer;
let asked: string[][];
const idOf = (n: number) => `0199a0c0-0000-7000-8000-${String(n).padStart(12, '0')}`;
const texts = (name: string) => [...document.querySelectorAll(`[data-testid="${name}"]`)].map((el) => el.textContent!.trim());

beforeEach(() => {
  server = new FakeServer();
  install(server);
  installLayout();
  asked = [];
  const user = { id: 'me', username: 'me', display_name: 'Mia', created_at: '2026-01-01T00:00:00.000Z' };
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    const { pathname, searchParams } = new URL(url, 'http://server');
    if (pathname === '/api/v1/users') asked.push(searchParams.getAll('id'));
    return pathname.endsWith('/me') ? new Response(JSON.stringify(user)) : server.fetch(url, init);
  });
  localStorage.clear();
});

afterEach(async () => {
  await unmount(app);
  uninstall();
});

async function open(path: string): Promise<void> {
  history.replaceState(null, '', path);
  app = mount(App, { target: document.body, props: { page: new Page() } });
  await pass(500);
  flushSync();
}

test('people who are not on screen are asked for later, and all at once', async () => {
  for (let n = 0; n < 300; n++) server.chat(idOf(n)).kind = { kind: 'direct', name: '', member_ids: ['me', `u${n}`] };
  await open('/');
  await pass(200);
  expect(asked.flat().length).toBeGreaterThan(20);
  expect(asked.flat().length).toBeLessThan(100);
  await pass(3_000);
  expect(new Set(asked.flat()).size).toBe(300);
  expect(asked.length).toBeLessThan(6);
});

test('the messages of the chat in the address wait for no connection', async () => {
  server.post('other', 'hello', 'k', idOf(1));
  vi.stubGlobal('WebSocket', class {
    send(): void {}
    close(): void {}
  });
  await open(`/chats/${idOf(1)}`);
  expect(texts('body')).toEqual(['hello']);
});
