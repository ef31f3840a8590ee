import { createHmac } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { axeFaults } from './axe.ts';
import { IdentityProvider } from './identity-provider.ts';
import { launch, patience } from './person.ts';
import { pictures } from './pictures.ts';
import { Server } from './server.ts';

/** Second factors, passkeys and providers: by the page, and by the API that its scripts reach. */

let server: Server;
let browser: Browser;
let provider: IdentityProvider;

beforeAll(async () => {
  const port = await freePort();
  const PUBLIC_URL = `http://localhost:${port}`;
  provider = await IdentityProvider.start(`${PUBLIC_URL}/api/v1/auth/company/callback`);
  const oidc = [{ id: 'company', name: 'Example SSO', issuer: provider.issuer, client_id: 'fechatter', client_secret: provider.secret }];
  [server, browser] = await Promise.all([Server.start({ FECHATTER_LISTEN: `127.0.0.1:${port}`, FECHATTER_PUBLIC_URL: PUBLIC_URL, FECHATTER_OIDC: JSON.stringify(oidc), FECHATTER_OUTBOUND_ALLOW: '127.0.0.1', FECHATTER_REGISTRATION: 'invite' }), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await Promise.all([server?.dispose(), provider?.stop()]);
});

/** A port for a server that must know its address before it starts. */
async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

const password = 'correct horse';

/** A browser of its own at a name: no passkey is bound to an address. */
async function arrive(options: BrowserContextOptions = {}, path = '/'): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', serviceWorkers: 'block', reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(patience.timeout);
  const page = await context.newPage();
  await page.goto(`http://localhost:${server.port}${path}`);
  return page;
}

interface Answer {
  status: number;
  body: any;
}

/** Calls the API as a script of the page does. */
const call = (page: Page, method: string, path: string, body?: unknown): Promise<Answer> =>
  page.evaluate(
    async ([m, p, b]) => {
      const json = b === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(b) };
      const answer = await fetch(`/api/v1${p}`, { method: m, ...json });
      const text = await answer.text();
      return { status: answer.status, body: text && JSON.parse(text) };
    },
    [method, path, body] as const,
  );

async function logIn(page: Page, username: string): Promise<Answer> {
  return call(page, 'POST', '/sessions', { username, password });
}

async function newcomer(username: string): Promise<Page> {
  const page = await arrive();
  expect(await call(page, 'POST', '/users', { username, password })).toMatchObject({ status: 201 });
  expect(await logIn(page, username)).toMatchObject({ status: 201 });
  return page;
}

/** The code of RFC 6238 for a secret in base32, some steps of 30 s from now. */
function codeOf(secret: string, steps = 0): string {
  const bits = [...secret].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g)!.map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac('sha1', key).update(counter).digest();
  const code = mac.readUInt32BE(mac[19]! & 15) & 0x7fffffff;
  return String(code % 1_000_000).padStart(6, '0');
}

/** Whoever has come by an invitation. */
let invited: Page;

describe('a new server', () => {
  test('is set up by its link, and others come in by an invitation', async () => {
    const root = await arrive({}, `/#setup=${server.setupCode}`);
    for (const [field, text] of [['workspace-name', 'Acme'], ['username', 'root'], ['password', password]] as const) await root.getByTestId(field).fill(text);
    await root.getByTestId('submit').click();
    await root.getByTestId('create-chat').click();
    await root.getByTestId('messages').getByTestId('invite').click();
    await root.getByTestId('make-invitation').click();
    const link = new URL(await root.getByTestId('link').inputValue());

    invited = await arrive({}, `/${link.hash}`);
    await invited.getByTestId('invited-by').waitFor();
    await invited.getByTestId('username').fill('tour-user');
    await invited.getByTestId('password').fill(password);
    await invited.getByTestId('submit').click();
    await invited.getByTestId('open-title').waitFor();
    expect(await call(invited, 'POST', '/users', { username: 'nobody-asked', password })).toMatchObject({ status: 403 });
    expect(await call(root, 'PATCH', '/workspace', { registration: 'open' })).toMatchObject({ status: 200 });
  });
});

describe('one-time codes', () => {
  test('a log-in takes a code, once, or a recovery code, once', async () => {
    const page = await newcomer('totp-user');
    const { secret } = (await call(page, 'POST', '/me/totp', { current_password: password })).body;
    const used = codeOf(secret);
    const confirmed = await call(page, 'POST', '/me/totp/confirm', { code: used });
    expect(confirmed.body.recovery_codes).toHaveLength(10);

    const other = await arrive();
    const first = await logIn(other, 'totp-user');
    expect(first).toMatchObject({ status: 401, body: { code: 'second_factor', methods: ['totp', 'recovery_code'] } });
    expect(await call(other, 'GET', '/me')).toMatchObject({ status: 401 });
    const { challenge } = first.body;
    expect(await call(other, 'POST', '/sessions', { challenge, totp: used })).toMatchObject({ status: 401, body: { code: 'second_factor' } });
    expect(await call(other, 'POST', '/sessions', { challenge, totp: codeOf(secret, 1) })).toMatchObject({ status: 201 });
    expect(await call(other, 'GET', '/me')).toMatchObject({ status: 200, body: { username: 'totp-user' } });
    expect(await call(other, 'POST', '/sessions', { challenge, totp: codeOf(secret, 1) })).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });

    const [recovery_code] = confirmed.body.recovery_codes;
    for (const status of [201, 401]) {
      const again = await logIn(other, 'totp-user');
      expect(await call(other, 'POST', '/sessions', { challenge: again.body.challenge, recovery_code })).toMatchObject({ status });
    }
  });
});

/** Gives the page an authenticator that has the user's finger on it. */
async function authenticator(page: Page): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
}

/** Has the browser make a passkey, or use one, by options from the server. */
const ceremony = (page: Page, kind: 'create' | 'get', options: unknown): Promise<unknown> =>
  page.evaluate(
    async ([k, o]) => {
      const parse = k === 'create' ? 'parseCreationOptionsFromJSON' : 'parseRequestOptionsFromJSON';
      const publicKey = (PublicKeyCredential as unknown as Record<string, (o: unknown) => never>)[parse]!(o);
      const credential = k === 'create' ? await navigator.credentials.create({ publicKey }) : await navigator.credentials.get({ publicKey });
      return (credential as PublicKeyCredential).toJSON();
    },
    [kind, options] as const,
  );

describe('a passkey', () => {
  test('is made in the browser, logs in without a name, and ends', async () => {
    const page = await newcomer('key-user');
    await authenticator(page);
    const made = (await call(page, 'POST', '/me/passkeys/options')).body;
    const credential = await ceremony(page, 'create', made.options);
    const passkey = await call(page, 'POST', '/me/passkeys', { name: 'My laptop', challenge: made.challenge, credential });
    expect(passkey).toMatchObject({ status: 201, body: { name: 'My laptop' } });
    expect(await call(page, 'GET', '/me')).toMatchObject({ body: { passkeys: 1, second_factor: [] } });

    const enter = async (): Promise<Answer> => {
      const asked = (await call(page, 'POST', '/sessions/passkey/options')).body;
      const answer = { challenge: asked.challenge, credential: await ceremony(page, 'get', asked.options) };
      const entered = await call(page, 'POST', '/sessions/passkey', answer);
      expect(await call(page, 'POST', '/sessions/passkey', answer)).toMatchObject({ status: 401 }); // the same answer again
      return entered;
    };
    expect(await call(page, 'DELETE', '/sessions/current')).toMatchObject({ status: 204 });
    expect(await call(page, 'GET', '/me')).toMatchObject({ status: 401 });
    expect(await enter()).toMatchObject({ status: 201, body: { user: { username: 'key-user' } } });
    await page.reload();
    await page.locator('[data-testid="connection"][data-phase="online"]').waitFor({ state: 'attached' });
    expect(await call(page, 'DELETE', `/me/passkeys/${passkey.body.id}`)).toMatchObject({ status: 204 });
    expect(await enter()).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
  });
});

/** What is on screen can be used by everybody: by axe, in colours, on a phone. */
async function judge(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    expect([name, colorScheme, ...(await axeFaults(page))]).toEqual([name, colorScheme]);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await pictures(page, name);
  const size = page.viewportSize()!;
  await page.setViewportSize({ width: 320, height: 640 });
  expect([name, await page.evaluate(() => document.documentElement.scrollWidth), ...(await axeFaults(page))]).toEqual([name, 320]);
  await page.setViewportSize(size);
}

const online = (page: Page): Promise<void> => page.locator('[data-testid="connection"][data-phase="online"]').waitFor({ state: 'attached' });

async function preferences(page: Page): Promise<void> {
  await page.getByTestId('account').click();
  await page.getByTestId('one-time-codes').waitFor();
}

async function logOut(page: Page): Promise<void> {
  await page.goto('about:blank');
  await page.goto(`http://localhost:${server.port}/`);
  await online(page);
  await page.getByTestId('log-out').click();
  await page.getByTestId('sign-in').waitFor();
}

async function give(page: Page, username: string): Promise<void> {
  await page.getByTestId('username').fill(username);
  await page.getByTestId('password').fill(password);
  await page.getByTestId('submit').click();
  await page.getByTestId('second-step').waitFor();
}

describe('the page', () => {
  test('goes from a second factor to a passkey to a provider', async () => {
    const page = invited;
    await authenticator(page);
    await page.goto(`http://localhost:${server.port}/`);
    await online(page);

    await preferences(page);
    await judge(page, 'factors-off');
    await page.getByTestId('set-up-codes').click();
    await page.getByTestId('codes-password').fill('not the password');
    await page.getByTestId('codes-next').click();
    await page.getByTestId('one-time-codes').getByTestId('refusal').waitFor();
    await page.getByTestId('codes-password').fill(password);
    await page.getByTestId('codes-next').click();
    await page.getByTestId('qr').waitFor();
    await page.getByTestId('qr').scrollIntoViewIfNeeded();
    await judge(page, 'factors-scan');
    const secret = (await page.getByTestId('secret').textContent())!.replaceAll(' ', '');
    await page.getByTestId('codes-code').fill(codeOf(secret, 10));
    await page.getByTestId('codes-next').click();
    await page.getByTestId('one-time-codes').getByTestId('refusal').waitFor();
    await page.getByTestId('codes-code').fill(codeOf(secret));
    await page.getByTestId('codes-next').click();
    await page.getByTestId('recovery-codes').waitFor();
    await judge(page, 'factors-recovery');
    const recovery = await page.getByTestId('recovery-code').allTextContents();
    expect(recovery).toHaveLength(10);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByTestId('save-codes').click()]);
    expect(download.suggestedFilename()).toBe('fechatter-recovery-codes-tour-user.txt');
    await page.getByTestId('kept-codes').click();

    await page.getByTestId('passkey-name').fill('My laptop');
    await page.getByTestId('add-passkey').click();
    await page.getByTestId('own-passkey').getByText('My laptop').waitFor();
    await page.getByTestId('own-passkey').scrollIntoViewIfNeeded();
    await judge(page, 'factors-passkey');

    await logOut(page);
    await page.getByTestId('provider').waitFor();
    await judge(page, 'log-in');
    await give(page, 'tour-user');
    await judge(page, 'second-step');
    await page.getByTestId('code').fill('000000');
    await page.getByTestId('submit').click();
    await page.getByTestId('step-error').waitFor();
    await page.getByTestId('other-code').click();
    await page.getByTestId('code').fill(recovery[0]!);
    await judge(page, 'second-step-recovery');
    await page.getByTestId('submit').click();
    await online(page);

    await logOut(page);
    await page.getByTestId('passkey').click();
    await online(page);
    expect(await call(page, 'GET', '/me')).toMatchObject({ body: { username: 'tour-user' } });

    await preferences(page);
    await page.getByTestId('delete-passkey').click();
    await page.getByTestId('confirm').click();
    await expect.poll(() => page.getByTestId('own-passkey').count(), patience).toBe(0);
    await logOut(page);
    await page.getByTestId('passkey').click();
    await page.getByTestId('way-error').waitFor();

    await page.getByTestId('provider').click();
    await page.locator('input[name="login"]').fill('ann');
    await page.locator('input[name="password"]').fill('of the provider');
    await page.locator('button[type="submit"]').click();
    await page.locator('button[type="submit"]').click();
    await online(page);
    expect(await call(page, 'GET', '/me')).toMatchObject({ body: { username: 'ann', display_name: 'Ann Example' } });
    expect(new URL(page.url()).pathname).toBe('/');
  });

  test('deletes the account of whoever asks for it by their password', async () => {
    const page = await newcomer('leaver');
    await page.goto(`http://localhost:${server.port}/`);
    await online(page);
    await preferences(page);
    await page.getByTestId('open-deletion').click();
    await page.getByTestId('deletion-password').fill('not the password');
    await page.getByTestId('delete-account').click();
    await page.getByTestId('deletion').getByTestId('refusal').waitFor();
    await page.getByTestId('delete-account').scrollIntoViewIfNeeded();
    await judge(page, 'delete-account');
    await page.getByTestId('deletion-password').fill(password);
    await page.getByTestId('delete-account').click();
    await page.getByTestId('sign-in').getByText('Your account is deleted.').waitFor();
    expect(await call(page, 'GET', '/me')).toMatchObject({ status: 401 });
    expect(await logIn(page, 'leaver')).toMatchObject({ status: 401 });
    expect(await call(page, 'POST', '/users', { username: 'leaver', password })).toMatchObject({ status: 409 });
  });

  test('says so when a provider brought nobody in', async () => {
    const page = await arrive({ locale: 'zh-CN', viewport: { width: 320, height: 640 } });
    await page.goto('about:blank');
    await page.goto(`http://localhost:${server.port}/#sign_in_error=forbidden`);
    await page.getByTestId('way-error').waitFor();
    expect(page.url()).not.toContain('sign_in_error');
    await judge(page, 'log-in-zh');
  });
});

describe('who must have a second factor', () => {
  test('sets one up before anything else', async () => {
    const strict = await Server.start({ FECHATTER_REQUIRE_SECOND_FACTOR: 'everyone' });
    try {
      const page = await arrive();
      await page.goto(`http://localhost:${strict.port}/`);
      expect(await call(page, 'POST', '/users', { username: 'strict-user', password })).toMatchObject({ status: 201 });
      await page.getByTestId('username').fill('strict-user');
      await page.getByTestId('password').fill(password);
      await page.getByTestId('submit').click();
      await page.getByTestId('must-set-up').waitFor();
      await page.getByTestId('set-up-codes').waitFor();
      await judge(page, 'must-set-up');
      expect(await page.getByTestId('go-on').isDisabled()).toBe(true);
      await page.getByTestId('set-up-codes').click();
      await page.getByTestId('codes-password').fill(password);
      await page.getByTestId('codes-next').click();
      const secret = (await page.getByTestId('secret').textContent())!.replaceAll(' ', '');
      await page.getByTestId('codes-code').fill(codeOf(secret));
      await page.getByTestId('codes-next').click();
      await page.getByTestId('recovery-codes').waitFor();
      expect(await page.getByTestId('go-on').isDisabled()).toBe(true);
      await page.getByTestId('kept-codes').click();
      await page.getByTestId('go-on').click();
      await online(page);
    } finally {
      await strict.dispose();
    }
  });
});
