// @vitest-environment jsdom
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fromEntry } from '../src/client/state';
import App from '../src/page/App.svelte';
import { Page } from '../src/page/state/page.svelte';
import { sections } from '../src/page/state/sections';
import { FakeServer, install, pass, uninstall } from './fake';
import { installLayout } from './layout';
import { entry } from './make';

/** The list of chats, with a few of them and with hundreds. */

const chat = (id: string, change: Parameters<typeof entry>[0] = {}) => fromEntry(entry({ id, name: id, kind: 'public', ...change }));
const listed = (...args: Parameters<typeof sections>) => sections(...args).map(({ name, chats }) => `${name}: ${chats.map(({ entry: { id } }) => id)}`);
const title = () => '';

describe('unread chats', () => {
  const chats = [
    chat('quiet'),
    chat('busy', { unread: 3 }),
    chat('muted', { unread: 3, muted: true }),
    chat('muted, called', { unread: 3, mentions: 1, muted: true }),
    chat('stranger', { kind: 'direct', unread: 1, request: true }),
    chat('friend', { kind: 'direct', unread: 1 }),
  ];

  test('come first, those that call the user before others; muted ones and requests are none', () => {
    expect(listed(chats, { title, unreadFirst: true })).toEqual(['requests: stranger', 'unread: muted, called,friend,busy', 'channels: muted,quiet']);
    expect(listed(chats, { title })).toEqual(['requests: stranger', 'channels: busy,muted,muted, called,quiet', 'direct: friend']);
  });

  test('stay there while they are open, and others do not come there by being opened', () => {
    const read = [chat('quiet'), chat('busy')];
    expect(listed(read, { title, unreadFirst: true, open: 'busy' }, new Set(['busy']))).toEqual(['unread: busy', 'channels: quiet']);
    expect(listed(read, { title, unreadFirst: true, open: 'busy' })).toEqual(['channels: busy,quiet']);
    expect(listed(read, { title, unreadFirst: true, open: 'quiet' }, new Set(['busy']))).toEqual(['channels: busy,quiet']);
  });

  test('channels are sorted as people count', () => {
    expect(listed([chat('team-10'), chat('team-9')], { title })).toEqual(['channels: team-9,team-10']);
  });
});

describe('with hundreds of chats', () => {
  let app: ReturnType<typeof mount> | undefined;
  let server: FakeServer;
  const idOf = (n: number) => `0199a0c0-0000-7000-8000-${String(n).padStart(12, '0')}`;
  const all = (name: string) => [...document.querySelectorAll<HTMLElement>(`[data-testid="${name}"]`)];

  async function open(count: number): Promise<Page> {
    for (let n = 0; n < count; n++) server.chat(idOf(n)).kind = { kind: 'public', name: `channel ${n}`, member_count: 9 };
    const page = new Page();
    app = mount(App, { target: document.body, props: { page } });
    await pass(600);
    flushSync();
    return page;
  }

  beforeEach(() => {
    server = new FakeServer();
    install(server);
    installLayout();
    const user = { id: 'me', username: 'me', display_name: 'Mia', created_at: '2026-01-01T00:00:00.000Z' };
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => (url.endsWith('/me') ? new Response(JSON.stringify(user)) : server.fetch(url, init)));
    history.replaceState(null, '', '/');
    localStorage.clear();
  });

  afterEach(async () => {
    if (app) await unmount(app);
    uninstall();
  });

  test('only those in view are drawn, each as one line', async () => {
    const page = await open(300);
    expect(page.listing.chats).toHaveLength(300);
    expect(all('chat-item').length).toBeGreaterThan(20);
    expect(all('chat-item').length).toBeLessThan(100);
    expect(all('last-message')).toEqual([]);
  });

  test('a few have two lines, unless the user prefers one', async () => {
    const page = await open(4);
    expect(all('last-message')).toHaveLength(4);
    page.preferences.set({ density: 'one' });
    flushSync();
    expect(all('last-message')).toEqual([]);
  });

  test('folded sections are remembered', async () => {
    await open(40);
    all('section')[0]!.click();
    flushSync();
    expect(all('chat-item')).toEqual([]);
    await unmount(app!);
    app = undefined;
    await open(40);
    expect(all('section')[0]!.getAttribute('aria-expanded')).toBe('false');
    expect(all('chat-item')).toEqual([]);
  });
});
