// @vitest-environment jsdom
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import App from '../src/page/App.svelte';
// What the page loads when it is needed, in time that fake timers don't wait for.
import '../src/page/dialogs/StatusBox.svelte';
import { Page } from '../src/page/state/page.svelte';
import { FakeServer, install, pass, uninstall } from './fake';
import { installLayout } from './layout';

/** Who somebody is, whom a draft names, and what stands above the first message. */

const here = '0199a0c0-0000-7000-8000-000000000001';
const since = '2026-01-01T00:00:00.000Z';
const self = { id: 'me', username: 'me', display_name: 'Mia', created_at: since };
const bob = { id: 'bob', username: 'bob', display_name: 'Bob Tanaka', status_text: 'On a train', status_emoji: '🚆', time_zone: 'Asia/Tokyo', created_at: since };
const eve = { id: 'eve', username: 'eve', display_name: 'Eve', created_at: since };
let me: typeof self;
let app: ReturnType<typeof mount>;
let server: FakeServer;
let sent: [string, unknown][];

const all = (name: string) => [...document.querySelectorAll<HTMLElement>(`[data-testid="${name}"]`)];
const texts = (name: string) => all(name).map((el) => el.textContent!.replace(/\s+/g, ' ').trim());
const posted = () => sent.filter(([path]) => path !== '/me');

beforeEach(() => {
  me = { ...self };
  server = new FakeServer();
  server.chat(here).kind = { name: 'design', kind: 'public', topic: '', created_by: 'bob', member_count: 2, role: 'owner' };
  install(server);
  installLayout();
  HTMLElement.prototype.showPopover = () => {};
  sent = [];
  vi.stubGlobal('fetch', async (url: string, init: RequestInit = {}) => {
    const { pathname, searchParams } = new URL(url, 'http://server');
    const path = pathname.replace('/api/v1', '');
    const json = (body: unknown) => new Response(JSON.stringify(body));
    if (path === '/me' && init.method === 'PATCH') {
      sent.push([path, JSON.parse(String(init.body))]);
      return json(Object.assign(me, sent.at(-1)![1]));
    }
    if (path === '/me') return json(me);
    if (path === '/users') return json({ users: searchParams.has('q') ? [eve].filter(({ username }) => username.startsWith(searchParams.get('q')!)) : [bob] });
    if (path === `/chats/${here}/members` && init.method === 'GET') return json({ members: [me, bob].map(({ id }) => ({ user_id: id, role: 'member', joined_at: since })) });
    if (init.method !== 'POST') return server.fetch(url, init);
    sent.push([path, JSON.parse(String(init.body))]);
    return json({ ...server.chat(here).entry({ read_seq: 0, delivered_seq: 0 }) });
  });
  localStorage.clear();
});

afterEach(async () => {
  await unmount(app);
  uninstall();
});

async function draw(ms = 300): Promise<void> {
  await pass(ms);
  flushSync();
}

async function open(): Promise<void> {
  history.replaceState(null, '', `/chats/${here}`);
  app = mount(App, { target: document.body, props: { page: new Page() } });
  await draw(600);
}

async function type(text: string): Promise<void> {
  const box = all('composer')[0] as HTMLTextAreaElement;
  box.value = text;
  box.dispatchEvent(new Event('input', { bubbles: true }));
  await draw(800);
}

describe('the card of a person', () => {
  async function show(): Promise<void> {
    server.post('bob', 'hello', 'k', here);
    await open();
    all('sender')[0]!.click();
    await draw();
  }

  test('opens at their name, and leads to a chat with them', async () => {
    await show();
    expect(texts('person-card')[0]).toMatch(/Bob Tanaka @bob 🚆 ?On a train \d+:\d\d( AM| PM)? local time Here since (January 1, 2026|1 January 2026)/);
    all('card-write')[0]!.click();
    await draw();
    expect(posted()).toEqual([['/chats', { kind: 'direct', member_ids: ['bob'] }]]);
    expect(all('person-card')).toEqual([]);
  });

  test('closes on Escape and at another press of the name', async () => {
    await show();
    all('sender')[0]!.click();
    await draw();
    expect(all('person-card')).toEqual([]);
    all('sender')[0]!.click();
    await draw();
    document.activeElement!.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, cancelable: true }));
    await draw();
    expect([all('person-card'), document.activeElement]).toEqual([[], all('sender')[0]]);
  });
});

describe('a status', () => {
  const own = () => all('phase')[0]!.textContent;
  const changes = () => sent.flatMap(([path, body]) => (path === '/me' && 'status_text' in (body as object) ? [body] : []));
  const field = (name: string) => all(name)[0] as HTMLInputElement;

  async function openBox(): Promise<void> {
    all('status')[0]!.click();
    await draw();
    all('set-status')[0]!.click();
    await draw();
  }

  test('is set with an emoji and an end, is shown, and goes at its end', async () => {
    vi.setSystemTime(new Date('2026-03-04T09:10:20'));
    server.presence = [{ user_id: 'me', state: 'online' }];
    await open();
    await openBox();
    expect(texts('status-suggestion')[0]).toBe('📅In a meeting1 hour');
    all('status-suggestion')[0]!.click();
    await draw();
    expect([field('status-text').value, field('status-span').value]).toEqual(['In a meeting', 'hour']);
    all('status-save')[0]!.click();
    await draw();
    const end = new Date('2026-03-04T10:11:00');
    server.presence = [{ user_id: 'me', state: 'online', ...(changes()[0] as object) }];
    expect(changes()).toEqual([{ status_text: 'In a meeting', status_emoji: '📅', status_until: end.toISOString() }]);
    expect([own(), all('status-box')]).toEqual(['📅 In a meeting', []]);
    await draw(end.getTime() - Date.now() - 1000);
    expect(own()).toBe('📅 In a meeting');
    await draw(1000);
    expect(own()).toBe('Online');
  });

  test('of somebody stands beside their name, as the presence tells it, until they are blocked', async () => {
    server.post('bob', 'hello', 'k', here);
    server.presence = [{ user_id: 'me', state: 'online' }];
    await open();
    const beside = () => all('status-emoji').map((el) => [el.textContent, el.title]);
    expect(beside()).toEqual([['🚆', 'On a train']]);
    all('sender')[0]!.click();
    await draw();
    expect(texts('card-status')).toEqual(['🚆 On a train']);
    server.tell({ op: 'block.added', d: { user_id: 'bob' } });
    await draw();
    expect(beside()).toEqual([]);
  });

  test('can be cleared', async () => {
    server.presence = [{ user_id: 'me', state: 'away', status_text: 'Elsewhere' }];
    await open();
    expect(own()).toBe('💬 Elsewhere');
    await openBox();
    all('status-clear')[0]!.click();
    await draw();
    expect([changes(), own()]).toEqual([[{ status_text: '', status_emoji: '' }], 'Away']);
  });
});

test('others learn the time zone of the user, once', async () => {
  await open();
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  expect(sent.filter(([path]) => path === '/me')).toEqual([['/me', { time_zone: zone }]]);
});

describe('a draft that names', () => {
  test('somebody who is not there offers to add them', async () => {
    await open();
    await type('@bob look');
    expect(texts('mention-warning')).toEqual([]);
    await type('@eve look');
    expect(texts('mention-warning')[0]).toContain('Eve isn’t in design and won’t be notified.');
    all('add-mentioned')[0]!.click();
    await draw();
    expect(posted()).toEqual([[`/chats/${here}/members`, { user_id: 'eve' }]]);
  });

  test('everybody says how many they are, from three on', async () => {
    await open();
    await type('@all look');
    expect(texts('mention-warning')).toEqual([]);
    server.chat(here).kind = { ...server.chat(here).kind, member_count: 121 };
    await unmount(app);
    await open();
    await type('@all look');
    expect(texts('mention-warning')).toEqual(['@all notifies 120 people.']);
  });
});

describe('the start of a chat', () => {
  test('says who made it, and leads to adding people and a topic', async () => {
    await open();
    expect(texts('start')[0]).toMatch(/^design Bob Tanaka created this channel on /);
    all('start-invite')[0]!.click();
    await draw();
    expect([all('members-panel').length, all('people-search').length]).toEqual([1, 1]);
    all('start-topic')[0]!.click();
    await draw();
    expect(all('settings-topic').length).toBe(1);
  });

  test('offers nobody to add where the chat is archived', async () => {
    server.chat(here).kind = { ...server.chat(here).kind, archived: true };
    await open();
    expect([all('start').length, all('start-invite').length]).toEqual([1, 0]);
  });
});
