// @vitest-environment jsdom
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import App from '../src/page/App.svelte';
// What the page loads when it is needed, in time that fake timers don't wait for.
import '../src/page/dialogs/PreferencesBox.svelte';
import '../src/page/entrance/AlreadyIn.svelte';
import '../src/page/entrance/Confirmed.svelte';
import '../src/page/entrance/Forgot.svelte';
import '../src/page/entrance/NotSetUp.svelte';
import '../src/page/entrance/Reset.svelte';
import '../src/page/entrance/SignUp.svelte';
import '../src/page/files';
import '../src/page/invitation/Invite.svelte';
import { Page } from '../src/page/state/page.svelte';
import { FakeServer, install, pass, uninstall } from './fake';
import { installLayout } from './layout';
import { entry } from './make';

/** Where an address leads, and how one comes in. */

const here = '0199a0c0-0000-7000-8000-000000000001';
const elsewhere = '0199a0c0-0000-7000-8000-000000000002';
const user = { id: 'me', username: 'me', display_name: 'Mia', created_at: '2026-01-01T00:00:00.000Z' };
let app: ReturnType<typeof mount>;
let server: FakeServer;
/** Answers by method and path, before the server is asked. */
let answers: Record<string, (body: Record<string, unknown>) => [number, unknown]>;
let asked: string[];

const all = (name: string) => [...document.querySelectorAll<HTMLElement>(`[data-testid="${name}"]`)];
const texts = (name: string) => all(name).map((el) => el.textContent!.replace(/\s+/g, ' ').trim());
const problem = (status: number, code: string, detail = '') => [status, { type: '', title: '', status, detail, code }] as [number, unknown];

beforeEach(() => {
  server = new FakeServer();
  server.chat(here);
  install(server);
  installLayout();
  asked = [];
  answers = { 'GET /me': () => [200, user] };
  vi.stubGlobal('fetch', async (url: string, init: RequestInit = {}) => {
    const { pathname } = new URL(url, 'http://server');
    const what = `${init.method ?? 'GET'} ${pathname.replace('/api/v1', '')}`;
    asked.push(what);
    const answer = answers[what]?.(init.body ? JSON.parse(String(init.body)) : {});
    return answer ? new Response(JSON.stringify(answer[1]), { status: answer[0] }) : server.fetch(url, init);
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

async function open(path: string): Promise<void> {
  history.replaceState(null, '', path);
  app = mount(App, { target: document.body, props: { page: new Page() } });
  await draw(600);
}

function fill(name: string, value: string): void {
  const box = all(name)[0] as HTMLInputElement;
  box.value = value;
  box.dispatchEvent(new Event('input', { bubbles: true }));
  flushSync();
}

describe('the address of a chat', () => {
  beforeEach(() => {
    answers[`GET /chats/${elsewhere}`] = () => problem(404, 'not_found');
  });

  test('that one is not in offers to join it, and leads there', async () => {
    const design = { ...entry({ id: elsewhere, name: 'design', kind: 'public', topic: 'Shapes' }), members: 7, joined: false };
    answers['GET /chats/public'] = () => [200, { chats: [design] }];
    await open(`/chats/${elsewhere}`);
    expect(texts('missing')[0]).toMatch(/^You’re not in #design Shapes 7 members/);
    expect(location.pathname).toBe(`/chats/${elsewhere}`);
    delete answers[`GET /chats/${elsewhere}`];
    server.chat(elsewhere).kind = { name: 'design', kind: 'public' };
    answers[`POST /chats/${elsewhere}/join`] = () => [200, server.chat(elsewhere).entry({ read_seq: 0, delivered_seq: 0 })];
    all('join-missing')[0]!.click();
    await draw();
    expect([texts('missing'), texts('open-title')]).toEqual([[], ['design']]);
  });

  test('that nobody knows says so', async () => {
    let pages = 0;
    answers['GET /chats/public'] = () => [200, { chats: [], ...(pages++ === 0 && { next: 'more' }) }];
    await open(`/chats/${elsewhere}`);
    expect(pages).toBe(2);
    expect(texts('missing')[0]).toMatch(/can’t be found/);
    all('leave-missing')[0]!.click();
    flushSync();
    expect([location.pathname, texts('missing')]).toEqual(['/', []]);
  });
});

describe('who joins and is removed by others', () => {
  test('is told, with a way there', async () => {
    await open('/');
    const chat = server.chat(elsewhere);
    chat.kind = { name: 'design', kind: 'private', added_seq: 1 };
    chat.append('member.added', 'bob', () => ({ user_id: 'me', role: 'member', by: 'bob' }));
    Object.assign(chat.events[0]!, { ts: new Date().toISOString() });
    server.tell({ op: 'chat.joined', d: { chat: chat.entry({ read_seq: 1, delivered_seq: 1 }) } });
    await draw();
    expect(texts('toast')[0]).toContain('someone added you to design');
    all('toast-action')[0]!.click();
    await draw();
    expect(texts('open-title')).toEqual(['design']);
    server.change('member.removed', 'bob', { user_id: 'me', by: 'bob' }, elsewhere);
    await draw();
    expect(texts('toast').join()).toContain('someone removed you from design');
  });

  test('is not told of what they did themselves, or long ago', async () => {
    await open('/');
    for (const [by, ts] of [['me', new Date().toISOString()], ['bob', '2020-01-01T00:00:00.000Z']] as const) {
      const chat = server.chat(`0199a0c0-0000-7000-8000-0000000000${by === 'me' ? '11' : '12'}`);
      chat.kind = { name: 'x', kind: 'private', added_seq: 1 };
      chat.append('member.added', by, () => ({ user_id: 'me', role: 'member', by }));
      Object.assign(chat.events[0]!, { ts });
      server.tell({ op: 'chat.joined', d: { chat: chat.entry({ read_seq: 1, delivered_seq: 1 }) } });
    }
    await draw();
    expect(texts('toast')).toEqual([]);
  });
});

describe('the first to come', () => {
  beforeEach(() => {
    answers['GET /me'] = () => problem(401, 'unauthenticated');
    answers['GET /workspace'] = () => [200, { name: '', setup: true }];
  });

  test('makes the first account, names the workspace, and goes on to the first channel', async () => {
    const sent: unknown[] = [];
    answers['POST /users'] = (body) => (sent.push(body), [201, user]);
    answers['POST /sessions'] = () => {
      answers['GET /me'] = () => [200, { ...user, administrator: true }];
      return [201, { token: 't', expires_at: '', user }];
    };
    answers['PATCH /workspace'] = (body) => (sent.push(body), [200, { name: 'Acme', setup: false }]);
    await open('/#setup=code-1');
    expect(texts('sign-in')[0]).toContain('Create the first account');
    fill('workspace-name', 'Acme');
    fill('username', 'me');
    fill('password', 'correct horse');
    all('submit')[0]!.click();
    await draw();
    expect(sent).toEqual([{ username: 'me', password: 'correct horse', setup_code: 'code-1' }, { name: 'Acme' }]);
    expect((all('chat-name')[0] as HTMLInputElement).value).toBe('general');
    expect(texts('dialog')[0]).toContain('Create your first channel');
    expect(all('open-administration')).toHaveLength(1);
    expect(location.hash).toBe('');
  });

  test('is told at its field what the server refuses', async () => {
    answers['POST /users'] = () => problem(409, 'conflict', 'this username is reserved');
    await open('/#setup=code-1');
    fill('username', 'admin');
    fill('password', 'correct horse');
    all('submit')[0]!.click();
    await draw();
    expect(all('username')[0]!.parentElement!.querySelector('[data-testid="refusal"]')!.textContent).toBe('This username is reserved. Please choose another.');
    expect(all('sign-in-error')).toEqual([]);
  });

  test('finds the usual form on a server that has accounts, or does not say', async () => {
    answers['GET /workspace'] = () => [200, { name: 'Acme', setup: false }];
    await open('/');
    expect(texts('sign-in')[0]).toContain('Log in to Acme');
    await unmount(app);
    answers['GET /workspace'] = () => problem(404, 'not_found');
    await open('/');
    expect(texts('sign-in')[0]).toContain('Log in to Fechatter');
  });
});

describe('a link', () => {
  beforeEach(() => {
    answers['GET /me'] = () => problem(401, 'unauthenticated');
    answers['GET /workspace'] = () => [200, { name: 'Acme', setup: false, registration: 'invite', invitations: 'everyone', mail: false }];
  });

  test('without the setup code, a new server says where to find it', async () => {
    answers['GET /workspace'] = () => [200, { name: 'Acme', setup: true, registration: 'invite', mail: false }];
    await open('/');
    expect(texts('not-set-up')[0]).toContain('fechatter admin setup-code');
    expect(all('username')).toEqual([]);
  });

  test('that invites says by whom, and is used up by signing up', async () => {
    const sent: unknown[] = [];
    answers['POST /invitations/check'] = (body) => (sent.push(body), [200, { workspace: 'Acme', invited_by: 'Bob', expires_at: '' }]);
    answers['POST /users'] = (body) => (sent.push(body), [201, user]);
    answers['POST /sessions'] = () => [201, { token: 't', expires_at: '', user }];
    await open('/#join=code-1');
    expect(texts('invited-by')[0]).toContain('Bob');
    fill('username', 'me');
    fill('password', 'correct horse');
    all('submit')[0]!.click();
    await draw(600);
    expect(sent).toEqual([{ code: 'code-1' }, { username: 'me', password: 'correct horse', invitation: 'code-1' }]);
    expect(location.hash).toBe('');
    // Whoever was invited begins in a chat.
    expect(location.pathname).toBe(`/chats/${here}`);
  });

  test('that invites nobody any more says so, and no form is filled in for nothing', async () => {
    answers['POST /invitations/check'] = () => problem(404, 'not_found', 'this invitation is unknown, used up or expired');
    await open('/#join=code-1');
    expect(texts('bad-link')[0]).toContain('unknown, used up or expired');
    expect(all('username')).toEqual([]);
    all('turn')[0]!.click();
    flushSync();
    expect(texts('by-invitation')[0]).toContain('You need an invitation');
  });

  test('that cannot be checked just now keeps nobody from signing up', async () => {
    answers['POST /invitations/check'] = () => problem(503, 'unavailable');
    await open('/#join=code-1');
    expect([all('bad-link').length, all('username').length]).toEqual([0, 1]);
  });

  test('is answered to somebody who is in already, who may stay', async () => {
    answers['GET /me'] = () => [200, user];
    await open('/#join=code-1');
    expect(texts('already-in')[0]).toContain('has no account yet');
    all('stay')[0]!.click();
    flushSync();
    expect([all('already-in').length, location.hash]).toEqual([0, '']);
  });

  test('for a new password takes one, and leads back to the log-in', async () => {
    const sent: unknown[] = [];
    answers['POST /password-resets/complete'] = (body) => (sent.push(body), body['new_password'] === 'password1' ? problem(400, 'bad_request', 'password is one of the most common ones') : [200, {}]);
    await open('/#reset=code-1');
    fill('password', 'password1');
    all('submit')[0]!.click();
    await draw();
    expect(texts('refusal')[0]).toContain('Too many people use this password');
    fill('password', 'battery staple');
    all('submit')[0]!.click();
    await draw();
    expect(sent.at(-1)).toEqual({ token: 'code-1', new_password: 'battery staple' });
    expect([texts('notice')[0], location.hash]).toEqual(['Your password has been changed. Log in with the new one.', '']);
  });

  test('confirms an address, or says why not', async () => {
    await open('/#email=code-1');
    expect([texts('to-confirm').length, asked.includes('POST /me/email/confirm')]).toEqual([1, false]);
    await unmount(app);
    answers['GET /me'] = () => [200, user];
    answers['POST /me/email/confirm'] = () => problem(409, 'conflict', 'another account uses this address');
    await open('/#email=code-1');
    expect(texts('email-refused')[0]).toContain('Another account uses this address');
    await unmount(app);
    answers['POST /me/email/confirm'] = () => [200, {}];
    await open('/#email=code-1');
    expect(texts('email-confirmed')).toHaveLength(1);
    all('go-on')[0]!.click();
    flushSync();
    expect([all('no-chat').length, location.hash]).toEqual([1, '']);
  });

  test('for a forgotten password is asked for where there is mail, by name or by address', async () => {
    await open('/');
    all('forgotten')[0]!.click();
    flushSync();
    await draw();
    expect(texts('ask-administrator')[0]).toContain('Ask an administrator');
    await unmount(app);
    const sent: unknown[] = [];
    answers['GET /workspace'] = () => [200, { name: 'Acme', setup: false, registration: 'invite', mail: true }];
    answers['POST /password-resets'] = (body) => (sent.push(body), [202, {}]);
    for (const who of ['Mia', 'mia@example.org']) {
      await open('/');
      all('forgotten')[0]!.click();
      flushSync();
      await draw();
      fill('who', who);
      all('submit')[0]!.click();
      await draw();
      expect(texts('reset-sent')).toHaveLength(1);
      if (who === 'Mia') await unmount(app);
    }
    expect(sent).toEqual([{ username: 'mia' }, { email: 'mia@example.org' }]);
  });
});

describe('what the server refuses in a dialog', () => {
  test('stands in it, in the page’s words, until something else is chosen', async () => {
    await open('/');
    answers['POST /chats'] = () => problem(409, 'conflict', 'something raw');
    all('new-chat')[0]!.click();
    flushSync();
    all('kind-public')[0]!.querySelector('input')!.click();
    flushSync();
    fill('chat-name', 'design');
    all('create-chat')[0]!.click();
    await draw();
    expect([texts('refusal'), texts('toast')]).toEqual([['That changed in the meantime. Please try again.'], []]);
    all('kind-group')[0]!.querySelector('input')!.click();
    flushSync();
    expect(texts('refusal')).toEqual([]);
  });
});

test('the box for desktop notifications does not stay ticked when the browser refuses', async () => {
  vi.stubGlobal('Notification', class {
    static permission = 'denied';
    static requestPermission = async () => 'denied';
  });
  await open('/');
  all('account')[0]!.click();
  flushSync();
  await draw();
  const box = all('notify')[0] as HTMLInputElement;
  box.click();
  await draw();
  expect(box.checked).toBe(false);
});

test('a server without files refuses them with a word', async () => {
  await open(`/chats/${here}`);
  const pasted = Object.assign(new Event('paste', { bubbles: true, cancelable: true }), { clipboardData: { types: ['Files'], items: [], getData: () => '' } });
  all('composer')[0]!.dispatchEvent(pasted);
  await draw();
  expect([pasted.defaultPrevented, texts('toast').length, all('attach')]).toEqual([true, 1, []]);
  const dropped = Object.assign(new Event('drop', { bubbles: true, cancelable: true }), { dataTransfer: { types: ['Files'], items: [] } });
  document.body.dispatchEvent(dropped);
  expect(dropped.defaultPrevented).toBe(true);
  expect(texts('toast')[0]).toBe('This server takes no files.');
});

describe('active sessions', () => {
  test('are asked for once, and another device is logged out', async () => {
    const session = { created_at: user.created_at, last_used_at: user.created_at, device: 'phone' };
    answers['GET /sessions'] = () => [200, { sessions: [{ ...session, id: 'a', current: true }, { ...session, id: 'b', current: false }] }];
    answers['DELETE /sessions/b'] = () => [200, {}];
    await open('/');
    all('account')[0]!.click();
    await draw(2000);
    expect(asked.filter((what) => what === 'GET /sessions')).toHaveLength(1);
    expect(texts('session')).toHaveLength(2);
    all('revoke')[0]!.click();
    await draw();
    expect(asked).toContain('DELETE /sessions/b');
    expect(texts('session')).toHaveLength(1);
  });
});
