import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Browser } from 'playwright-core';
import { axeFaults } from './axe.ts';
import { pictures } from './pictures.ts';
import { Post } from './post.ts';
import { Server } from './server.ts';
import { launch, patience, Visitor } from './visitor.ts';

/** Links that come by mail: to confirm an address, for a new password, and to join. */

/** Links in letters hold the address of the server, which must be known before it starts. */
async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return port;
}

let post: Post;
let server: Server;
let browser: Browser;
let visitors: Visitor[] = [];

beforeAll(async () => {
  post = await Post.open();
  const at = `127.0.0.1:${await freePort()}`;
  const mail = {
    FECHATTER_REGISTRATION: 'invite',
    FECHATTER_LISTEN: at,
    FECHATTER_PUBLIC_URL: `http://${at}`,
    FECHATTER_MAIL: `smtp+plain://127.0.0.1:${post.port}`,
    FECHATTER_MAIL_FROM: 'Acme <chat@example.org>',
  };
  [server, browser] = await Promise.all([Server.start(mail), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.dispose();
  await post?.close();
});

afterEach(async () => {
  const complaints = visitors.flatMap((visitor) => visitor.complaints);
  await Promise.all(visitors.map((visitor) => visitor.leave()));
  visitors = [];
  expect(complaints).toEqual([]);
});

const visit = async (path: string): Promise<Visitor> => {
  const visitor = await Visitor.come(browser, server, path, { reducedMotion: 'reduce' });
  visitors.push(visitor);
  return visitor;
};

/** The code that was mailed, once it has arrived. */
async function mailed(address: string, kind: 'reset' | 'email' | 'join', not = ''): Promise<string> {
  await expect.poll(() => ['', not].includes(post.codeFor(address, kind)), patience).toBe(false);
  return post.codeFor(address, kind);
}

async function judge({ page }: Visitor, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    expect([name, colorScheme, ...(await axeFaults(page))]).toEqual([name, colorScheme]);
  }
  await pictures(page, name);
}

test('an address is confirmed, a password is forgotten, and somebody is invited, all by mail', async () => {
  const root = await visit(`/#setup=${server.setupCode}`);
  await root.fill({ username: 'root', email: 'root@example.org', password: 'correct horse' });
  await root.get('submit').click();
  await root.get('create-chat').click();
  await root.get('open-title').waitFor();
  const first = await mailed('root@example.org', 'email');

  // The address is shown as what it is, and replaced only once the new one is confirmed.
  const address = () => root.get('address').textContent();
  await root.get('account').click();
  await expect.poll(address, patience).toContain('Not confirmed yet');
  await root.fill({ 'new-email': 'ruth@example.org', 'email-password': 'wrong horse' });
  await root.get('save-email').click();
  await root.page.locator('label:has([data-testid="email-password"]) [data-testid="refusal"]').waitFor();
  await root.get('own-email').scrollIntoViewIfNeeded();
  await judge(root, 'email');
  await root.get('email-password').fill('correct horse');
  await root.get('save-email').click();
  await root.get('email-sent').waitFor();
  await root.get('own-email').scrollIntoViewIfNeeded();
  await judge(root, 'email-sent');
  const code = await mailed('ruth@example.org', 'email');
  await root.go(`/#email=${code}`);
  await root.get('email-confirmed').waitFor();
  await judge(root, 'email-confirmed');
  await root.get('go-on').click();
  await root.get('account').click();
  await expect.poll(address, patience).toBe('ruth@example.orgConfirmed');
  await root.get('close-dialog').click();
  for (const used of [code, first]) {
    await root.go(`/#email=${used}`);
    await root.get('email-refused').waitFor();
    if (used === code) await judge(root, 'email-refused');
  }
  const elsewhere = await visit(`/#email=${code}`);
  await elsewhere.get('to-confirm').waitFor();
  await judge(elsewhere, 'email-to-confirm');

  // Whoever has forgotten the password gets a link, and is told nothing of who has an account.
  const lost = await visit('/');
  await lost.get('forgotten').click();
  await lost.get('who').waitFor();
  await judge(lost, 'forgot');
  await lost.get('who').fill('nobody@example.org');
  await lost.get('submit').click();
  await lost.get('reset-sent').waitFor();
  await judge(lost, 'forgot-sent');
  await lost.get('turn').click();
  await lost.get('forgotten').click();
  await lost.get('who').fill('ruth@example.org');
  await lost.get('submit').click();
  await lost.go(`/#reset=${await mailed('ruth@example.org', 'reset')}`);
  await lost.get('password').fill('battery staple');
  await lost.get('submit').click();
  await lost.get('notice').waitFor();
  await lost.fill({ username: 'root', password: 'battery staple' });
  await lost.get('submit').click();
  await lost.get('open-administration').waitFor();
  expect(post.codeFor('nobody@example.org', 'reset')).toBe('');

  // An invitation that is mailed is for one, and confirms the address that it was sent to.
  await lost.get('invite').first().click();
  await lost.get('invited-email').fill('ann@example.org');
  expect(await lost.get('uses').isDisabled()).toBe(true);
  await lost.get('make-invitation').click();
  await lost.get('mailed').waitFor();
  await judge(lost, 'invite-mailed');
  const ann = await visit(`/#join=${await mailed('ann@example.org', 'join')}`);
  await ann.fill({ username: 'ann', email: 'ann@example.org', password: 'correct horse' });
  await judge(ann, 'join-mail');
  await ann.get('submit').click();
  await ann.get('account').click();
  await expect.poll(() => ann.get('address').textContent(), patience).toBe('ann@example.orgConfirmed');
});
