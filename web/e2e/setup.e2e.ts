import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launch, patience, Person } from './person.ts';
import { Server } from './server.ts';

/** A server of which nobody knows yet, as `make run` starts it. */

let server: Server;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start({ FECHATTER_REGISTRATION: 'invite' }), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

describe('a new server', () => {
  test('whoever opens the printed link is its administrator, and others join by a link of theirs', async () => {
    const stranger = await Person.byLink(browser, server, 'Eve', 'setup=' + 'A'.repeat(43));
    await stranger.introduce();
    await expect.poll(() => stranger.get('sign-in-error').textContent(), patience).toContain('Open the setup link');

    const root = await Person.byLink(browser, server, 'Root', `setup=${server.setupCode}`);
    await root.introduce();
    await root.online();
    expect(await root.api('GET', '/me')).toMatchObject({ administrator: true });
    expect(new URL(root.page.url()).hash).toBe('');

    const { code } = await root.api<{ code: string }>('POST', '/invitations', {});
    await stranger.get('submit').click();
    await expect.poll(() => stranger.get('sign-in-error').textContent(), patience).toContain('invitation');
    const ann = await Person.byLink(browser, server, 'Ann', `join=${code}`);
    await ann.introduce();
    await ann.online();
    expect(await ann.api('GET', '/me')).not.toHaveProperty('administrator');
    const late = await Person.byLink(browser, server, 'Late', `join=${code}`);
    await expect.poll(() => late.get('bad-link').textContent(), patience).toContain('used up');

    for (const person of [stranger, root, ann, late]) await person.dispose();
    for (const person of [root, ann]) expect(person.complaints).toEqual([]);
  });
});
