import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { axeFaults } from './axe.ts';
import { Contrast } from './contrast.ts';
import { launch, patience, Visitor } from './visitor.ts';
import { pictures } from './pictures.ts';
import { Server } from './server.ts';

/** How people come in where an invitation is needed, and how administrators look after them. */

const quiet = { reducedMotion: 'reduce' } as const;
const small = { ...quiet, locale: 'zh-CN', viewport: { width: 320, height: 640 } } as const;
let server: Server;
let browser: Browser;
let visitors: Visitor[] = [];

const visit = async (path = '/', options: BrowserContextOptions = quiet): Promise<Visitor> => {
  const visitor = await Visitor.come(browser, server, path, options);
  visitors.push(visitor);
  return visitor;
};

/** The administrator, who has come by the setup link. */
let root: Visitor;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start({ FECHATTER_REGISTRATION: 'invite' }), launch()]);
});

afterAll(async () => {
  await root?.leave();
  await browser?.close();
  await server?.dispose();
});

afterEach(async () => {
  const complaints = [...visitors, ...(root ? [root] : [])].flatMap((visitor) => visitor.complaints);
  await Promise.all(visitors.map((visitor) => visitor.leave()));
  visitors = [];
  expect(complaints).toEqual([]);
});

/** The code in a link. */
const codeOf = (link: string) => /#\w+=([\w-]+)$/.exec(link)![1]!;

/** What is on screen can be used by everybody: by axe, in colours, on a phone. Keeps pictures where PICTURES says. */
async function judge(visitor: Visitor, name: string, controls = false): Promise<void> {
  const { page } = visitor;
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    expect([name, colorScheme, ...(await axeFaults(page))]).toEqual([name, colorScheme]);
  }
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  if (controls) {
    const contrast = await Contrast.of(page);
    await contrast.judge(name);
    expect([...contrast.faults]).toEqual([]);
  }
  await pictures(page, name);
  const size = page.viewportSize()!;
  await page.setViewportSize({ width: 320, height: 640 });
  expect([name, await page.evaluate(() => document.documentElement.scrollWidth)]).toEqual([name, 320]);
  await page.setViewportSize(size);
}

/** An invitation made in the dialog; its link. */
async function invite(by: Visitor): Promise<string> {
  await by.get('make-invitation').click();
  return by.get('link').inputValue();
}

describe('the first start', () => {
  test('says where the link is, to those who come without it', async () => {
    const visitor = await visit();
    await visitor.get('not-set-up').waitFor();
    expect(await visitor.get('not-set-up').textContent()).toContain('setup link');
    expect(await visitor.get('username').count()).toBe(0);
    await judge(visitor, 'not-set-up');
    const chinese = await visit('/', small);
    await chinese.get('not-set-up').waitFor();
    await pictures(chinese.page, 'not-set-up-zh');
  });

  test('a link that is not the printed one lets nobody in, and says so', async () => {
    const visitor = await visit(`/#setup=${'A'.repeat(43)}`);
    await visitor.fill({ username: 'mallory', password: 'correct horse' });
    await visitor.get('submit').click();
    await visitor.get('sign-in-error').waitFor();
    expect(await visitor.get('sign-in-error').textContent()).toContain('Open the setup link');
  });

  test('makes the first account, the first channel, and a link for the others', async () => {
    root = await Visitor.come(browser, server, `/#setup=${server.setupCode}`, quiet);
    await root.get('workspace-name').waitFor();
    await judge(root, 'first');
    await root.fill({ 'workspace-name': 'Acme', username: 'root', 'display-name': 'Ruth', password: 'correct horse' });
    await root.get('submit').click();
    await root.get('create-chat').click();
    await root.get('open-title').getByText('general', { exact: true }).waitFor();
    expect(new URL(root.page.url()).hash).toBe('');
    // A channel with nobody else in it says how to change that.
    await root.get('messages').getByTestId('invite').click();
    await root.get('make-invitation').waitFor();
    expect(await root.get('invited-chat').getByRole('checkbox').isChecked()).toBe(true);
    await judge(root, 'invite');
    const link = await invite(root);
    expect(link).toContain('/#join=');
    await judge(root, 'invite-made', true);
    await root.get('copy-link').focus();
    await root.page.keyboard.press('Escape');
    await expect.poll(() => root.get('make-invitation').count(), patience).toBe(0);
    // The setup link is over.
    const late = await visit(`/#setup=${server.setupCode}`);
    await late.get('already-set-up').waitFor();
    expect(await late.get('by-invitation').textContent()).toContain('You need an invitation');
    await judge(late, 'log-in');
  });
});

describe('an invitation', () => {
  const link = async (d: object = {}) => codeOf((await root.api<{ url: string }>('POST', '/invitations', { chat_ids: [await root.chatId()], ...d })).url);

  test('says who invites to what, and leads into its chat', async () => {
    const visitor = await visit(`/#join=${await link()}`);
    await visitor.get('invited-by').waitFor();
    expect(await visitor.get('sign-in').textContent()).toMatch(/Join .*Acme/);
    expect(await visitor.get('invited-by').textContent()).toMatch(/Ruth.* invited you/);
    await judge(visitor, 'join', true);
    await visitor.fill({ username: 'root', password: 'correct horse' });
    await visitor.get('submit').click();
    await visitor.page.locator('label:has([data-testid="username"]) [data-testid="refusal"]').waitFor();
    await visitor.fill({ username: 'ann', password: 'correct horse' });
    await visitor.get('submit').click();
    await visitor.get('open-title').getByText('general', { exact: true }).waitFor();
    expect(new URL(visitor.page.url()).hash).toBe('');
    // Whoever is in and opens a link once more is told what it is for.
    await visitor.page.evaluate((code) => (location.hash = `join=${code}`), await link());
    await visitor.get('already-in').waitFor();
    await judge(visitor, 'already-in');
    await visitor.get('stay').click();
    await expect.poll(() => visitor.get('already-in').count(), patience).toBe(0);
    expect(new URL(visitor.page.url()).hash).toBe('');
  });

  test('that is used up, over or unknown says so', async () => {
    const code = await link({ max_uses: 1 });
    const first = await visit(`/#join=${code}`);
    await first.fill({ username: 'ben', password: 'correct horse' });
    await first.get('submit').click();
    await first.get('open-title').waitFor();
    for (const bad of [code, 'A'.repeat(43), 'nonsense']) {
      const late = await visit(`/#join=${bad}`);
      await late.get('bad-link').waitFor();
      expect(await late.get('bad-link').textContent()).toContain('unknown, used up or expired');
      if (bad === code) await judge(late, 'bad-link');
      await late.get('turn').click();
      await late.get('forgotten').waitFor();
    }
  });

  test('in Chinese on 320 pixels', async () => {
    const visitor = await visit(`/#join=${await link()}`, small);
    await expect.poll(() => visitor.get('invited-by').textContent(), patience).toMatch(/Ruth.*邀请你加入/);
    await pictures(visitor.page, 'join-zh');
    await visitor.fill({ username: 'mei', 'display-name': '林美', password: 'correct horse' });
    await visitor.get('submit').click();
    await visitor.get('open-title').waitFor();
    await visitor.get('back').click();
    await visitor.get('invite').first().click();
    await visitor.get('make-invitation').waitFor();
    await pictures(visitor.page, 'invite-zh');
    expect(await visitor.page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  });

  test('is listed, and revoked', async () => {
    await root.page.reload();
    await root.get('invite').first().click();
    const before = await root.get('invitation').count();
    const code = codeOf(await invite(root));
    await expect.poll(() => root.get('invitation').count(), patience).toBeGreaterThan(before);
    await root.get('withdraw').first().click();
    await judge(root, 'revoke');
    await root.get('confirm').click();
    const late = await visit(`/#join=${code}`);
    await late.get('bad-link').waitFor();
    await root.get('close-dialog').click();
  });
});

describe('a forgotten password', () => {
  test('is a matter for administrators where there is no mail, who hand a link over', async () => {
    const { id } = await root.user('ann');
    const ann = await visit();
    await ann.get('forgotten').click();
    await ann.get('ask-administrator').waitFor();
    await judge(ann, 'forgot-no-mail');
    await root.get('open-administration').click();
    await root.get('list-search').fill('ann');
    const row = root.page.locator('[data-testid="account-row"][data-username="ann"]');
    await row.getByTestId('account-menu').click();
    await root.get('reset-link').click();
    await root.get('link').waitFor();
    await judge(root, 'reset-link');
    const url = await root.get('link').inputValue();
    await root.get('close-dialog').click();
    await ann.go(`/#reset=${codeOf(url)}`);
    await ann.get('password').waitFor();
    await judge(ann, 'reset');
    await ann.get('password').fill('password1');
    await ann.get('submit').click();
    await ann.page.locator('label:has([data-testid="password"]) [data-testid="refusal"]').waitFor();
    await ann.get('password').fill('battery staple');
    await ann.get('submit').click();
    await ann.get('notice').waitFor();
    await ann.fill({ username: 'ann', password: 'battery staple' });
    await ann.get('submit').click();
    await ann.get('chat-list').waitFor();
    expect((await ann.api<{ id: string }>('GET', '/me')).id).toBe(id);
    const again = await visit(`/#reset=${codeOf(url)}`);
    await again.get('password').fill('battery staple');
    await again.get('submit').click();
    await expect.poll(() => again.get('refusal').textContent(), patience).toContain('unknown, used or expired');
  });
});

describe('administration', () => {
  const open = async (tab: string) => {
    if ((await root.get('administration').count()) === 0) await root.get('open-administration').click();
    await root.get(`tab-${tab}`).click();
  };

  test('is for administrators', async () => {
    const code = codeOf((await root.api<{ url: string }>('POST', '/invitations', {})).url);
    const visitor = await visit(`/#join=${code}`);
    await visitor.fill({ username: 'cara', password: 'correct horse' });
    await visitor.get('submit').click();
    await visitor.get('invite').first().waitFor();
    expect(await visitor.get('open-administration').count()).toBe(0);
  });

  test('suspends, reactivates and appoints people, and ends their sessions', async () => {
    const cara = root.page.locator('[data-testid="account-row"][data-username="cara"]');
    const act = async (item: string) => {
      await cara.getByTestId('account-menu').click();
      await root.get(item).click();
      if (item !== 'restore') await root.get('confirm').click();
    };
    await open('people');
    await cara.waitFor();
    await judge(root, 'people', true);
    await act('suspend');
    await cara.getByTestId('is-suspended').waitFor();
    await act('restore');
    await expect.poll(() => cara.getByTestId('is-suspended').count(), patience).toBe(0);
    await act('appoint');
    await cara.getByTestId('is-administrator').waitFor();
    await act('dismiss');
    await expect.poll(() => cara.getByTestId('is-administrator').count(), patience).toBe(0);
    await act('end-sessions');
    await root.get('toast').getByText('sessions ended').waitFor();
    // The last one cannot be dismissed, and is told why.
    const own = root.page.locator('[data-testid="account-row"][data-username="root"]');
    await own.getByTestId('account-menu').click();
    await root.get('dismiss').click();
    await root.get('confirm').click();
    await root.get('toast').getByText('This is the last administrator').waitFor();
  });

  test('names the workspace, lists invitations and acts, and keeps chats for as long as it is told', async () => {
    await open('workspace');
    await judge(root, 'workspace', true);
    await root.get('workspace-name').fill('Acme & Sons');
    await root.get('save-workspace').click();
    await expect.poll(async () => (await root.api<{ name: string }>('GET', '/workspace')).name, patience).toBe('Acme & Sons');
    await open('invitations');
    await root.get('invitation').first().waitFor();
    await judge(root, 'invitations');
    await open('chats');
    const general = root.get('kept-chat').filter({ hasText: 'general' });
    await general.getByTestId('retention').selectOption('90');
    await root.get('confirm').click();
    await expect.poll(async () => (await root.api<{ chats: { retention_days: number }[] }>('GET', '/admin/chats?q=general')).chats[0]!.retention_days, patience).toBe(90);
    await judge(root, 'chats');
    await open('audit');
    await root.page.locator('[data-testid="act"][data-action="workspace.changed"]').first().waitFor();
    await root.page.locator('[data-testid="act"][data-action="retention.set"]').waitFor();
    await judge(root, 'audit');
    await open('node');
    await root.get('health').getByText('Working').waitFor();
    await judge(root, 'node');
  });

  test('is worked by keys, and keeps the focus', async () => {
    await root.get('close-dialog').click();
    await root.get('open-administration').focus();
    await root.page.keyboard.press('Enter');
    await root.get('tab-people').waitFor();
    await root.get('tab-people').focus();
    await root.page.keyboard.press('ArrowRight');
    await expect.poll(() => root.get('tab-invitations').getAttribute('aria-selected'), patience).toBe('true');
    for (let i = 0; i < 12; i++) {
      await root.page.keyboard.press('Tab');
      expect(await root.page.evaluate(() => document.activeElement === document.body || document.activeElement!.closest('dialog') !== null)).toBe(true);
    }
    await root.page.keyboard.press('Escape');
    await expect.poll(() => root.get('administration').count(), patience).toBe(0);
    expect(await root.page.evaluate(() => (document.activeElement as HTMLElement).dataset['testid'])).toBe('open-administration');
  });

  test('in Chinese on 320 pixels', async () => {
    const visitor = await visit('/', small);
    await visitor.fill({ username: 'root', password: 'correct horse' });
    await visitor.get('submit').click();
    await visitor.get('open-administration').waitFor();
    await pictures(visitor.page, 'sidebar-zh');
    await visitor.get('open-administration').click();
    await visitor.get('account-row').first().waitFor();
    await pictures(visitor.page, 'people-zh');
    for (const tab of ['invitations', 'workspace', 'chats', 'audit', 'node']) {
      await visitor.get(`tab-${tab}`).click();
      await visitor.get('administration').getByText('正在加载…').waitFor({ state: 'detached' });
      await pictures(visitor.page, `${tab}-zh`);
      expect([tab, await visitor.page.evaluate(() => document.documentElement.scrollWidth)]).toEqual([tab, 320]);
    }
  });
});

test('where nobody may, nobody is offered to invite', async () => {
  await root.api('PATCH', '/workspace', { registration: 'closed' });
  const ann = await visit();
  await expect.poll(() => ann.get('by-invitation').textContent(), patience).toContain('takes no new users');
  await ann.fill({ username: 'ann', password: 'battery staple' });
  await ann.get('submit').click();
  await ann.get('chat-list').waitFor();
  await expect.poll(() => ann.get('invite').count(), patience).toBe(0);
});
