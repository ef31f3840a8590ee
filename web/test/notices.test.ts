// @vitest-environment jsdom
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import App from '../src/page/App.svelte';
import { Page } from '../src/page/state/page.svelte';
import { FakeServer, install, pass, uninstall } from './fake';
import { installLayout } from './layout';

/** What is told of messages, by people whom the page has not met, and what becomes of it. */

const here = '0199a0c0-0000-7000-8000-000000000001';
const there = '0199a0c0-0000-7000-8000-000000000002';
const user = { id: 'me', username: 'me', display_name: 'Mia', created_at: '2026-01-01T00:00:00.000Z' };
let server: FakeServer;
let app: ReturnType<typeof mount>;
let page: Page;
let users: () => Promise<Response>;
/** All notices ever shown, and those on screen, by tag. */
let told: string[];
let shown: Map<string, FakeNotice>;

class FakeNotice {
  static permission = 'granted';
  onclick = () => {};
  onclose = () => {};
  constructor(
    readonly title: string,
    readonly options: { body: string; tag: string },
  ) {
    told.push(String(this));
    shown.set(options.tag, this);
  }
  toString = () => `${this.title} | ${this.options.body}`;
  close(): void {
    if (shown.get(this.options.tag) === this) shown.delete(this.options.tag);
    this.onclose();
  }
}

const answer = (body: unknown) => new Response(JSON.stringify(body), { status: 200 });
const onScreen = () => [...shown.values()].map(String);
const text = (name: string) => document.querySelector(`[data-testid="${name}"]`)?.textContent!.trim();

beforeEach(() => {
  server = new FakeServer();
  install(server);
  installLayout();
  told = [];
  shown = new Map();
  users = async () => answer({ users: [{ id: 'other', username: 'bob', display_name: 'Bob', created_at: '' }] });
  vi.stubGlobal('Notification', FakeNotice);
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    if (url.endsWith('/me')) return answer(user);
    if (url.includes('/users?id=')) return users();
    const [, id] = /\/api\/v1\/messages\/(.+)$/.exec(url) ?? [];
    if (!id) return server.fetch(url, init);
    const found = [...server.chats.values()].flatMap((chat) => [...chat.messages.values()]).find((message) => message.id === id);
    return found ? answer(found) : new Response(JSON.stringify({ code: 'not_found', title: 'Not Found', status: 404 }), { status: 404 });
  });
  localStorage.clear();
  server.chat(here);
  server.when = () => new Date().toISOString();
  server.chat(there).kind = { kind: 'direct', name: '', member_ids: ['me', 'other'] };
});

afterEach(async () => {
  await unmount(app);
  uninstall();
});

async function draw(ms = 100): Promise<void> {
  await pass(ms);
  flushSync();
}

/** Opens the page with a group on screen, in a window that somebody looks at. */
async function open(): Promise<void> {
  history.replaceState(null, '', `/chats/${here}`);
  vi.spyOn(document, 'hasFocus').mockReturnValue(true);
  page = new Page();
  page.preferences.set({ notify: true });
  app = mount(App, { target: document.body, props: { page } });
  await draw(300);
}

const later = (response: Promise<Response>, ms: number) => new Promise<Response>((resolve) => setTimeout(() => resolve(response), ms));
const change = (op: 'message.edited' | 'message.deleted', seq: number, chatId = there) => {
  const common = { message_id: `${chatId}-m${seq}`, message_seq: seq, version: 2 };
  if (op === 'message.deleted') server.change(op, 'other', { ...common, deleted_at: '2026-01-02T00:00:00.000Z' }, chatId);
  else server.change('message.edited', 'other', { ...common, body: 'better', mentions: [], edited_at: '2026-01-02T00:00:00.000Z' }, chatId);
};

describe('the first message of somebody whom the page has not met', () => {
  test('is told once their name is known', async () => {
    const known = users();
    users = () => later(known, 2_500);
    await open();
    server.post('other', '**hello**', 'k', there);
    await draw(2_000);
    expect(told).toEqual([]);
    await draw(500);
    expect(told).toEqual(['Bob | Bob: hello']);
  });

  test('is told without a name if that does not come', async () => {
    users = () => new Promise(() => {});
    await open();
    server.post('other', 'hello', 'k', there);
    await draw(4_000);
    expect(told).toEqual(['New message | hello']);
  });

  test('is announced and previewed with the name, never with dots', async () => {
    const known = users();
    users = () => later(known, 1_000);
    await open();
    server.post('other', 'hello', 'k', here);
    await draw(500);
    const preview = () => document.querySelector(`[data-chat="${here}"] [data-testid="last-message"]`)!.textContent!.trim();
    expect([text('announced'), preview()]).toEqual(['', 'hello']);
    await draw(1_000);
    expect([text('announced'), preview()]).toEqual(['Bob: hello', 'Bob: hello']);
  });

  test('that came before the chat did is told, too', async () => {
    await open();
    const fresh = '0199a0c0-0000-7000-8000-000000000003';
    const chat = server.chat(fresh);
    chat.kind = { kind: 'direct', name: '', member_ids: ['me', 'other'] };
    for (const socket of server.sockets) socket.subscribed = false;
    server.post('other', 'hello', 'k', fresh);
    server.tell({ op: 'chat.joined', d: { chat: chat.entry({ read_seq: 0, delivered_seq: 0 }) } });
    await draw();
    expect(told).toEqual(['Bob | Bob: hello']);
  });

  test.each(['message.deleted', 'read elsewhere'] as const)('is not told if by then: %s', async (what) => {
    const known = users();
    users = () => later(known, 1_000);
    await open();
    server.post('other', 'hello', 'k', there);
    await draw();
    if (what === 'message.deleted') change(what, 1);
    else server.tell({ op: 'cursor', chat_id: there, d: { user_id: 'me', read_seq: 1, delivered_seq: 1, unread: 0, mentions: 0 } });
    await draw(5_000);
    expect(told).toEqual([]);
  });
});

describe('a notice', () => {
  beforeEach(async () => {
    await open();
    server.post('other', 'one', 'k1', there);
    server.post('other', 'two', 'k2', there);
    await draw();
    expect(onScreen()).toEqual(['Bob | Bob: one', 'Bob | Bob: two']);
  });

  test('goes when its message is deleted', async () => {
    change('message.deleted', 1);
    await draw();
    expect(onScreen()).toEqual(['Bob | Bob: two']);
  });

  test('follows an edit', async () => {
    change('message.edited', 2);
    await draw();
    expect(onScreen()).toEqual(['Bob | Bob: one', 'Bob | Bob: better']);
  });

  test('does not come back by an edit once it was closed', async () => {
    shown.get(`${there}-m2`)!.close();
    change('message.edited', 2);
    await draw();
    expect(onScreen()).toEqual(['Bob | Bob: one']);
  });

  test('goes when it was read on another device', async () => {
    server.tell({ op: 'cursor', chat_id: there, d: { user_id: 'me', read_seq: 1, delivered_seq: 2, unread: 1, mentions: 0 } });
    await draw();
    expect(onScreen()).toEqual(['Bob | Bob: two']);
  });

  test('goes when its chat is left', async () => {
    server.tell({ op: 'chat.left', d: { chat_id: there, seq: 9 } });
    await draw();
    expect(onScreen()).toEqual([]);
  });

  test('goes when its chat is opened here', async () => {
    document.querySelector<HTMLElement>(`nav [data-chat="${there}"]`)!.click();
    await draw(1_000);
    expect(onScreen()).toEqual([]);
  });

  test('goes with the login', async () => {
    server.cut(4500);
    await draw();
    expect(onScreen()).toEqual([]);
  });

  test('goes when its message was deleted while the page was offline', async () => {
    server.up = false;
    server.cut();
    await draw();
    change('message.deleted', 1);
    server.up = true;
    await draw(10_000);
    expect(onScreen()).toEqual(['Bob | Bob: two']);
  });
});

test('a message that is already deleted when it arrives is not told', async () => {
  await open();
  server.delivers = () => false;
  server.post('other', 'gone', 'k1', here);
  Object.assign(server.chat(here).events[0]!.d as object, { body: '', deleted_at: '2026-01-02T00:00:00.000Z' });
  vi.spyOn(document, 'hasFocus').mockReturnValue(false);
  window.dispatchEvent(new Event('blur'));
  server.cut();
  await draw(10_000);
  expect(told).toEqual([]);
});

describe('what is being replied to', () => {
  const reply = async () => {
    await open();
    server.post('other', 'question', 'k', here);
    await draw();
    const message = document.querySelector<HTMLElement>('[data-testid="message"]')!;
    message.dispatchEvent(new KeyboardEvent('keydown', { key: 'r', bubbles: true }));
    await draw();
    if (!text('replying')) {
      message.dispatchEvent(new MouseEvent('mouseover', { bubbles: true }));
      message.dispatchEvent(new FocusEvent('focusin', { bubbles: true }));
      await draw();
      document.querySelector<HTMLElement>('[data-testid="reply"]')!.click();
      await draw();
    }
    expect(text('replying')).toBe('Reply to Bob question');
  };

  test('follows an edit and a deletion', async () => {
    await reply();
    change('message.edited', 1, here);
    await draw();
    expect(text('replying')).toBe('Reply to Bob better');
    change('message.deleted', 1, here);
    await draw();
    expect(text('replying')).toBe('Reply to Bob Message deleted');
  });

  test('is read again after a reset', async () => {
    await reply();
    server.delivers = () => false;
    change('message.deleted', 1, here);
    server.delivers = () => true;
    server.tell({ op: 'reset', chat_id: here, seq: 2, d: { reason: 'too_far' } });
    await draw(1_000);
    expect(text('replying')).toBe('Reply to Bob Message deleted');
  });
});

test('days change at midnight in an open chat', async () => {
  vi.setSystemTime(new Date('2026-03-29T23:59:00'));
  await open();
  server.post('other', 'hello', 'k', here);
  await draw();
  const days = () => [...document.querySelectorAll('.day, [aria-current="true"] time')].map((el) => el.textContent!.trim());
  expect(days()).toEqual(['11:59 PM', 'Today']);
  await draw(70_000);
  expect(days()).toEqual(['Sun', 'Yesterday']);
});
