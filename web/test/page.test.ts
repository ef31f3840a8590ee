// @vitest-environment jsdom
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import App from '../src/page/App.svelte';
import { Page } from '../src/page/state/page.svelte';
import { FakeServer, install, pass, uninstall } from './fake';
import { installLayout } from './layout';
import { chatId } from './make';

/** The page in a document without layout, against the server in memory. */

let server: FakeServer;
let app: ReturnType<typeof mount>;
const user = { id: 'me', username: 'me', display_name: 'Mia', created_at: '2026-01-01T00:00:00.000Z' };

beforeEach(async () => {
  server = new FakeServer();
  server.chat();
  install(server);
  installLayout();
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    if (!url.endsWith('/me')) return server.fetch(url, init);
    return new Response(JSON.stringify(user), { status: 200 });
  });
  history.replaceState(null, '', `/`);
  localStorage.clear();
});

afterEach(async () => {
  await unmount(app);
  uninstall();
});

async function open(id: string | null = chatId): Promise<void> {
  if (id) history.replaceState(null, '', `/chats/${id}`);
  app = mount(App, { target: document.body, props: { page: new Page() } });
  await pass(300);
  flushSync();
}

const all = (name: string) => [...document.querySelectorAll<HTMLElement>(`[data-testid="${name}"]`)];
const texts = (name: string) => all(name).map((el) => el.textContent!.trim());

async function draw(ms = 100): Promise<void> {
  await pass(ms);
  flushSync();
}

async function type(text: string, init: KeyboardEventInit = {}): Promise<KeyboardEvent> {
  const box = all('composer')[0] as HTMLTextAreaElement;
  box.value = text;
  box.dispatchEvent(new Event('input', { bubbles: true }));
  const press = new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true, ...init });
  box.dispatchEvent(press);
  await draw();
  return press;
}

const uuid = '0199a0c0-0000-7000-8000-000000000001';

describe('a chat', () => {
  beforeEach(() => {
    server.chats.clear();
    server.chat(uuid);
  });

  test('shows what is in it, as text', async () => {
    server.post('other', '<img src=x onerror=alert(1)> & <b>bold</b>', 'k', uuid);
    await open(uuid);
    expect(texts('body')).toEqual(['<img src=x onerror=alert(1)> & <b>bold</b>']);
    expect(document.querySelector('[data-testid="body"] img, [data-testid="body"] b')).toBeNull();
  });

  test('is turned around by no name and no preview', async () => {
    const answer = fetch;
    const evil = { ...user, id: 'other', username: 'other', display_name: 'Evil\u202e' };
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => (url.includes('/users') ? new Response(JSON.stringify(url.endsWith('/users/other') ? evil : { users: [evil] })) : answer(url, init)));
    server.post('other', 'one \u202etwo', 'k', uuid);
    await open(uuid);
    await draw(500);
    expect(texts('last-message')).toEqual(['Evil: one two']);
    expect(all('message')[0]!.querySelector('.head strong')!.textContent).toBe('Evil');
    expect(all('message')[0]!.getAttribute('aria-label')).toMatch(/^Evil, /);
  });

  test('lays out each block by its own direction, and shows the numbers that were typed', async () => {
    server.post('other', '1. one\n0. zero\n3. three\n\n- `a` https://b.example שלום\n- hello', 'k', uuid);
    await open(uuid);
    const [body] = all('body');
    expect([...body!.querySelectorAll('ol, ul')].map((list) => list.getAttribute('dir'))).toEqual(['ltr', 'rtl']);
    expect([...body!.querySelectorAll('ol > li')].map((item) => item.getAttribute('value'))).toEqual(['1', '0', '3']);
    expect(body!.querySelector('[dir="auto"]')).toBeNull();
  });

  test('Enter sends, Shift+Enter and an input method do not', async () => {
    await open(uuid);
    expect((await type('one', { shiftKey: true })).defaultPrevented).toBe(false);
    expect((await type('two', { isComposing: true })).defaultPrevented).toBe(false);
    expect(texts('body')).toEqual([]);
    expect((await type('three')).defaultPrevented).toBe(true);
    expect(texts('body')).toEqual(['three']);
    expect((all('composer')[0] as HTMLTextAreaElement).value).toBe('');
  });

  test('an input method completes no mention: Safari reports its Enter as 229', async () => {
    const other = { ...user, id: 'other', username: 'other' };
    const members = [{ user_id: 'other', role: 'member', joined_at: user.created_at }];
    const answer = fetch;
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
      if (url.includes('/users?')) return new Response(JSON.stringify({ users: [other] }));
      return url.includes('/members?') ? new Response(JSON.stringify({ members })) : answer(url, init);
    });
    server.post('other', 'hello', 'k', uuid);
    await open(uuid);
    const box = () => (all('composer')[0] as HTMLTextAreaElement).value;
    for (const init of [{ isComposing: true }, { keyCode: 229 }]) {
      await type('@ot', init);
      expect(box()).toBe('@ot');
    }
    await type('@ot');
    expect(box()).toBe('@other ');
  });

  test('shows a send from pending over failed to sent', async () => {
    await open(uuid);
    server.before = ({ op }) => void (op === 'message.send' && FakeServer.refuse('forbidden'));
    await type('no');
    expect(all('pending')[0]!.dataset['state']).toBe('failed');
    expect(all('pending')[0]!.textContent).toContain('refused: forbidden');
    server.before = () => {};
    all('retry')[0]!.click();
    await draw();
    expect(texts('body')).toEqual(['no']);
    expect(all('pending')).toEqual([]);
  });

  test('that is being looked at is marked as read', async () => {
    vi.spyOn(document, 'hasFocus').mockReturnValue(true);
    await open(uuid);
    server.post('other', 'hello', 'k', uuid);
    await draw(500);
    expect(server.readSeq.get(uuid)).toBe(1);
    expect(all('unread-badge')).toEqual([]);
  });

  test('that nobody is looking at is not', async () => {
    vi.spyOn(document, 'hasFocus').mockReturnValue(false);
    await open(uuid);
    server.post('other', 'hello', 'k', uuid, ['me']);
    await draw(500);
    expect(server.readSeq.get(uuid)).toBeUndefined();
    expect(texts('unread-badge')).toEqual(['1 unread']);
    expect(texts('mention-badge')).toEqual(['mentions: 1']);
  });

  test('that the user leaves goes away', async () => {
    await open(uuid);
    for (const socket of server.sockets) socket.deliver({ op: 'chat.left', d: { chat_id: uuid, seq: 1 } });
    await draw();
    expect(all('chat')).toEqual([]);
    expect(location.pathname).toBe('/');
  });
});

describe('the others', () => {
  const dots = () =>
    all('presence').map((el) => `${el.closest<HTMLElement>('nav footer, nav li, header, article')!.tagName} ${el.textContent!.trim()}`);

  beforeEach(() => {
    server.chats.clear();
    server.chat(uuid).kind = { kind: 'direct', name: '', member_ids: ['me', 'other'] };
    server.cursors = [{ user_id: 'other', read_seq: 0, delivered_seq: 0 }];
  });

  test('are seen typing, above the composer and in the list', async () => {
    await open(uuid);
    expect([texts('typing'), texts('last-message')]).toEqual([[''], ['No messages yet']]);
    server.tell({ op: 'typing', chat_id: uuid, d: { user_ids: ['other'], expires_ms: 6000 } });
    await draw();
    expect([texts('typing'), texts('last-message')]).toEqual([['someone is typing…'], ['typing…']]);
    await draw(6_000);
    expect([texts('typing'), texts('last-message')]).toEqual([[''], ['No messages yet']]);
  });

  test('are told of typing until the text is sent or abandoned', async () => {
    await open(uuid);
    const told = () => server.received.filter((c) => c['op'] === 'typing.set').map(({ d }) => d.typing);
    const box = all('composer')[0] as HTMLTextAreaElement;
    box.value = 'hm';
    box.dispatchEvent(new Event('input', { bubbles: true }));
    await draw();
    expect(told()).toEqual([true]);
    box.dispatchEvent(new Event('blur'));
    await draw();
    expect(told()).toEqual([true, false]);
    await type('sent');
    expect(told()).toEqual([true, false, true, false]);
  });

  test('have received and read what the user wrote, as the ticks show', async () => {
    await open(uuid);
    await type('hello');
    const ticks = () => all('ticks').map((el) => `${el.dataset['state']} ${el.textContent!.trim()}`);
    expect([ticks(), texts('seen')]).toEqual([['sent Sent'], []]);
    server.tell({ op: 'cursor', chat_id: uuid, d: { user_id: 'other', read_seq: 0, delivered_seq: 1 } });
    await draw();
    expect([ticks(), texts('seen')]).toEqual([['delivered Delivered'], []]);
    server.tell({ op: 'cursor', chat_id: uuid, d: { user_id: 'other', read_seq: 1, delivered_seq: 1 } });
    await draw();
    expect([ticks(), texts('seen')]).toEqual([['read Read'], ['Seen']]);
    await type('and?');
    expect([ticks(), texts('seen')]).toEqual([['sent Sent'], []]);
  });

  test('are shown as present or absent, in words too', async () => {
    server.presence = [{ user_id: 'me', state: 'online' }, { user_id: 'other', state: 'dnd' }];
    server.post('other', 'busy', 'k', uuid);
    await open(uuid);
    await draw(500);
    expect(dots()).toEqual(['LI Do not disturb', 'FOOTER Online', 'HEADER Do not disturb', 'ARTICLE Do not disturb']);
    expect(texts('subtitle')).toEqual(['@someone · Do not disturb']);
    server.tell({ op: 'presence', d: { users: [{ user_id: 'other', state: 'unknown' }] } });
    await draw();
    expect(dots()).toEqual(['FOOTER Online']);
  });

  test('have no presence if the server does not support it', async () => {
    server.presence = null;
    await open(uuid);
    await draw(500);
    expect([all('presence'), all('status'), all('toast')]).toEqual([[], [], []]);
    expect(texts('phase')).toEqual(['Online']);
  });
});

describe('what one does', () => {
  const activities = () => server.received.filter((c) => c['op'] === 'activity').length;

  test('counts as activity, in a visible tab', async () => {
    await open(null);
    const seen = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
    window.dispatchEvent(new Event('pointermove'));
    await draw();
    expect(activities()).toBe(0);
    seen.mockReturnValue('visible');
    for (const name of ['pointermove', 'keydown', 'pointerdown', 'focus']) window.dispatchEvent(new Event(name));
    await draw();
    expect(activities()).toBe(1);
  });
});

describe('the connection', () => {
  test('shows its state', async () => {
    await open(null);
    expect(all('connection')[0]!.dataset['phase']).toBe('online');
    vi.spyOn(Math, 'random').mockReturnValue(0.99);
    server.up = false;
    server.cut();
    await draw(200);
    expect(all('connection')[0]!.dataset['phase']).toBe('offline');
    expect(texts('connection')[0]).toMatch(/offline\. Reconnecting in \d+ s/);
  });

  test('says so when the server drops typing and presence', async () => {
    await open(null);
    server.tell({ op: 'degraded', d: { dropping: ['typing'] } });
    await draw();
    expect(all('degraded')).toHaveLength(1);
    server.tell({ op: 'degraded', d: { dropping: [] } });
    await draw();
    expect(all('degraded')).toEqual([]);
  });

  test('asks for a login when the session ends, and says why', async () => {
    await open(null);
    server.cut(4500);
    await draw();
    expect(all('sign-in')).toHaveLength(1);
    expect(texts('notice')).toEqual(['You have been logged out.']);
  });
});
