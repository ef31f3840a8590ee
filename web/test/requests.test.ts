// @vitest-environment jsdom
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { applyMembership } from '../src/client/apply';
import type { Entry, Push, User } from '../src/client/types';
import App from '../src/page/App.svelte';
import { Page } from '../src/page/state/page.svelte';
import { sections } from '../src/page/state/sections';
import { namesakes } from '../src/page/text/names';
import { fromEntry } from '../src/client/state';
import { FakeServer, install, pass, uninstall } from './fake';
import { installLayout } from './layout';
import { apply, chatId, chatOf, created, entry, holding, me, reacted } from './make';

/** Requests, blocks and hidden chats: in what the client holds, and on the page. */

const waiting = { request: true, hidden: true } as const;
const flags = ({ request, hidden }: Entry) => ({ request: !!request, hidden: !!hidden });

describe('a request', () => {
  test.each([
    ['an own message', created(1, { sender_id: me }), false],
    ['an own reaction', reacted(1, 0, '👍', me), false],
    ['the message of another', created(1), true],
    ['the reaction of another', reacted(1, 0), true],
  ] as const)('after %s', (_, event, request) => {
    const own = event.op === 'message.created' ? event.d.sender_id : event.op === 'reaction.added' ? event.d.user_id : '';
    const state = apply(holding(waiting), { ...event, actor_id: own });
    expect(chatOf(state).entry.request ?? false).toBe(request);
  });

  test('ends when another device accepts', () => {
    const state = applyMembership(holding(waiting), chatId, { muted: false, hidden: false, request: false });
    expect(flags(chatOf(state).entry)).toEqual({ request: false, hidden: false });
  });

  test('stands by itself in the list', () => {
    const chats = [fromEntry(entry({ id: 'a', kind: 'direct', request: true })), fromEntry(entry({ id: 'b', kind: 'direct' }))];
    expect(sections(chats, { title: () => '' }).map(({ name, chats: held }) => [name, held.map((chat) => chat.entry.id)])).toEqual([
      ['requests', ['a']],
      ['direct', ['b']],
    ]);
  });
});

test('a hidden chat comes back with the next message, and with no other event', () => {
  expect(chatOf(apply(holding(waiting), reacted(1, 0))).entry.hidden).toBe(true);
  expect(chatOf(apply(holding(waiting), created(1))).entry.hidden).toBeUndefined();
});

test('namesakes are those whose names a search cannot tell apart', () => {
  const users = ['José Silva', 'jose  SILVA', 'Mei', ''].map((display_name, i) => ({ id: `u${i}`, username: i === 3 ? 'mei' : `name${i}`, display_name, created_at: '' }) satisfies User);
  expect([...namesakes(new Map(users.map((user) => [user.id, user])))].toSorted()).toEqual(['u0', 'u1', 'u2', 'u3']);
  expect([...namesakes(new Map(users.slice(1, 3).map((user) => [user.id, user])))]).toEqual([]);
});

describe('on the page', () => {
  const here = '0199a0c0-0000-7000-8000-000000000001';
  const there = '0199a0c0-0000-7000-8000-000000000002';
  let server: FakeServer;
  let app: ReturnType<typeof mount>;
  let page: Page;
  let shown: string[];

  beforeEach(async () => {
    server = new FakeServer();
    install(server);
    installLayout();
    shown = [];
    vi.stubGlobal('Notification', class {
      static permission = 'granted';
      constructor(_: string, { body }: { body: string }) {
        shown.push(body);
      }
      close = () => {};
    });
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) =>
      url.endsWith('/me') ? new Response(JSON.stringify({ id: 'me', username: 'me', display_name: 'Mia', created_at: '' })) : server.fetch(url, init),
    );
    localStorage.clear();
    server.chat(here);
  });

  afterEach(async () => {
    await unmount(app);
    uninstall();
  });

  async function open(): Promise<void> {
    history.replaceState(null, '', `/chats/${here}`);
    page = new Page();
    app = mount(App, { target: document.body, props: { page } });
    await draw(300);
    page.preferences.set({ notify: true });
  }

  async function draw(ms = 100): Promise<void> {
    await pass(ms);
    flushSync();
  }

  const all = (name: string) => [...document.querySelectorAll<HTMLElement>(`[data-testid="${name}"]`)];
  const push = (what: Push) => server.sockets.forEach((socket) => socket.deliver(what));

  test('a request notifies nobody and counts in no badge', async () => {
    server.chat(there).kind = { request: true };
    await open();
    server.post('other', 'buy this', 'k', there);
    await draw(5_000);
    expect([shown, page.unread, all('unread-badge').length]).toEqual([[], 0, 0]);
    push({ op: 'membership', chat_id: there, d: { muted: false, hidden: false, request: false } });
    await draw();
    expect([page.unread, all('unread-badge').length]).toEqual([1, 1]);
    server.post('other', 'an acquaintance now', 'l', there);
    await draw(5_000);
    expect(shown).toHaveLength(1);
  });

  test('what a blocked person says is folded, notifies nobody and is shown again after that', async () => {
    server.blocked = ['other'];
    server.post('other', 'look here', 'k', here);
    server.chat(there);
    await open();
    await draw(1_000);
    expect([all('blocked-message').length, all('body').length]).toEqual([1, 0]);
    server.post('other', 'psst', 'l', there);
    await draw(5_000);
    expect(shown).toEqual([]);
    push({ op: 'block.removed', d: { user_id: 'other' } });
    await draw();
    expect([all('blocked-message').length, all('body').map((el) => el.textContent)]).toEqual([0, ['look here']]);
    push({ op: 'block.added', d: { user_id: 'other' } });
    await draw();
    all('show-blocked')[0]!.click();
    await draw();
    expect(all('body').map((el) => el.textContent)).toEqual(['look here']);
  });

  test('a mention by a blocked person is counted as the server counts it', async () => {
    server.blocked = ['other'];
    server.chat(there).kind = { mentions: 0 };
    await open();
    await draw(1_000);
    server.post('other', '@me', 'k', there, ['me']);
    await draw(2_000);
    expect(page.snapshot!.state.chats.get(there)!.entry.mentions).toBe(0);
  });

  test('a hidden chat leaves the list and returns', async () => {
    server.chat(there);
    await open();
    expect(all('chat-item')).toHaveLength(2);
    push({ op: 'membership', chat_id: there, d: { muted: false, hidden: true, request: false } });
    await draw();
    expect(all('chat-item')).toHaveLength(1);
    expect(page.held).toHaveLength(2);
    server.post('other', 'back', 'k', there);
    await draw();
    expect(all('chat-item')).toHaveLength(2);
  });
});
