import { describe, expect, test } from 'vitest';
import { patience, stage } from './stage.ts';

/** What happens to people whose connection, server or session ends. */

const scene = stage();
const { join, talk } = scene;

describe('a lost connection', () => {
  test('of one: the other carries on, and afterwards everything is there, in order, once', async () => {
    const [ada, bob] = await talk();
    await ada.say('before');
    await bob.sees('before');

    ada.cable.cut();
    await ada.offline();
    const missed = Array.from({ length: 30 }, (_, i) => `missed ${i}`);
    await bob.say(...missed.slice(0, 15));
    await ada.say('written offline 1', 'written offline 2');
    expect(await ada.pending()).toEqual(['written offline 1', 'written offline 2']);
    await bob.say(...missed.slice(15));
    await bob.sees('before', ...missed);
    await bob.nothingPending();

    ada.cable.mend();
    await ada.online();
    const all = ['before', ...missed, 'written offline 1', 'written offline 2'];
    await ada.sees(...all);
    await bob.sees(...all);
    await ada.nothingPending();
  });

  test('again and again, in the middle of sends, loses, doubles and swaps nothing', async () => {
    const [ada, bob] = await talk();
    const sent = Array.from({ length: 24 }, (_, i) => `number ${i}`);
    for (const [i, text] of sent.entries()) {
      await ada.say(text);
      if (i % 4 === 2) {
        ada.cable.cut();
        ada.cable.mend();
      }
    }
    await bob.sees(...sent);
    await ada.sees(...sent);
    await ada.nothingPending();
    const { messages } = await bob.api<{ messages: { body: string }[] }>('GET', `/chats/${await bob.chatId()}/messages?limit=100`);
    expect(messages.map((m) => m.body)).toEqual(sent);
  });

  test('that the browser reports: messages wait, and arrive once', async () => {
    const [ada, bob] = await talk();
    await ada.context.setOffline(true);
    ada.cable.cut();
    await ada.offline();
    await ada.say('from the tunnel');
    expect(await ada.get('pending').getAttribute('data-state')).toBe('pending');
    ada.cable.mend();
    await ada.context.setOffline(false);
    await bob.sees('from the tunnel');
    await ada.sees('from the tunnel');
    await ada.nothingPending();
  });

  test('and a reload do not lose what waits', async () => {
    const [ada, bob] = await talk();
    ada.cable.cut();
    await ada.offline();
    await ada.say('not forgotten');
    ada.cable.mend();
    await ada.page.reload();
    await ada.online();
    await bob.sees('not forgotten');
  });

  test('through a crash of the server: both come back, and nothing acknowledged is lost', async () => {
    const [ada, bob] = await talk();
    await ada.say('one', 'two');
    await bob.sees('one', 'two');
    await scene.server.kill();
    await Promise.all([ada.offline(), bob.offline()]);
    await ada.say('three');
    await scene.server.up();
    await Promise.all([ada.online(), bob.online()]);
    await bob.say('four');
    await bob.nothingPending();
    await ada.nothingPending();
    await expect.poll(async () => (await bob.bodies()).sort(), patience).toEqual(['four', 'one', 'three', 'two']);
    await ada.sees(...(await bob.bodies()));
  });
});

describe('sessions', () => {
  test('logging out in one window closes the other', async () => {
    const ada = await join('Ada');
    const second = await ada.window();
    await ada.get('log-out').click();
    await ada.get('sign-in').waitFor();
    await second.getByTestId('sign-in').waitFor();
    expect(await second.getByTestId('notice').textContent()).toContain('logged out');
  });

  test('another device can be logged out from here', async () => {
    const ada = await join('Ada');
    const context = await scene.browser.newContext();
    const page = await context.newPage();
    await page.goto(ada.cable.url);
    await page.getByTestId('username').fill(ada.username);
    await page.getByTestId('password').fill('correct horse');
    await page.getByTestId('submit').click();
    await page.getByTestId('chat-list').waitFor();
    await ada.get('account').click();
    await ada.get('revoke').click();
    await page.getByTestId('sign-in').waitFor();
    await context.close();
    await expect.poll(() => ada.get('session').count(), patience).toBe(1);
  });

  test('a wrong password is reported', async () => {
    const ada = await join('Ada');
    await ada.get('log-out').click();
    await ada.get('username').fill(ada.username);
    await ada.get('password').fill('wrong password');
    await ada.get('submit').click();
    await ada.get('sign-in-error').waitFor();
  });
});
