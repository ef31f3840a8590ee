import { describe, expect, test } from 'vitest';
import { patience, stage } from './stage.ts';

/** Two and three people with real browsers at a real server. */

const scene = stage();
const { join, talk } = scene;

describe('a direct chat', () => {
  test('both see what is written, in order, at once', async () => {
    const [ada, bob] = await talk();
    await ada.say('hello Bob', 'how are you?');
    await bob.sees('hello Bob', 'how are you?');
    await bob.say('fine');
    await ada.sees('hello Bob', 'how are you?', 'fine');
    await ada.nothingPending();
  });

  test('text is shown as text, and Shift+Enter makes a line', async () => {
    const [ada, bob] = await talk();
    await ada.get('composer').pressSequentially('<b>one</b>');
    await ada.get('composer').press('Shift+Enter');
    await ada.get('composer').pressSequentially('two 你好 👋');
    await ada.get('composer').press('Enter');
    await bob.sees('<b>one</b>\ntwo 你好 👋');
    expect(await bob.page.locator('[data-testid="body"] b').count()).toBe(0);
  });

  test('unread and mentions are counted until the chat is looked at', async () => {
    const [ada, bob] = await Promise.all([join('Ada'), join('Bob')]);
    await ada.writeTo(bob);
    await ada.say('one', `two @${bob.username}`, 'three');
    const item = bob.item('Ada');
    await expect.poll(() => item.getByTestId('unread-badge').textContent(), patience).toBe('3 unread');
    expect(await item.getByTestId('mention-badge').textContent()).toContain('@1');
    await item.click();
    await expect.poll(() => item.getByTestId('unread-badge').count(), patience).toBe(0);
    await bob.page.reload();
    await bob.online();
    await bob.get('chat-item').first().waitFor();
    expect(await item.getByTestId('unread-badge').count()).toBe(0);
  });

  test('edits, deletions, reactions and replies are seen by the other', async () => {
    const [ada, bob] = await talk();
    await ada.say('teh', 'secret', 'party?');
    await bob.sees('teh', 'secret', 'party?');

    await ada.act('teh', 'edit');
    await ada.get('edit-box').fill('the');
    await ada.get('edit-box').press('Enter');
    await bob.sees('the', 'secret', 'party?');
    expect(await bob.message('the').getByTestId('edited').count()).toBe(1);

    await ada.delete('secret');
    await bob.sees('the', 'party?');
    expect(await bob.get('deleted').count()).toBe(1);

    await bob.react('party?', '🎉');
    const reaction = ada.message('party?').getByTestId('reaction');
    await expect.poll(() => reaction.textContent(), patience).toContain('1');
    await reaction.click();
    await expect.poll(() => bob.message('party?').getByTestId('reaction').textContent(), patience).toContain('2');
    await reaction.click();
    await expect.poll(() => bob.message('party?').getByTestId('reaction').textContent(), patience).toContain('1');

    await bob.act('party?', 'reply');
    await bob.say('yes!');
    await expect.poll(() => ada.message('yes!').getByTestId('quote').textContent(), patience).toContain('party?');
  });
});

describe('a lost connection', () => {
  test('of one: the other goes on; afterwards everything is there, in order, once', async () => {
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

  test('again and again, in the middle of sends: nothing is lost, doubled or swapped', async () => {
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

  test('the browser says it is offline: written messages wait, and arrive once', async () => {
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

  test('a reload does not lose what waits', async () => {
    const [ada, bob] = await talk();
    ada.cable.cut();
    await ada.offline();
    await ada.say('not forgotten');
    ada.cable.mend();
    await ada.page.reload();
    await ada.online();
    await bob.sees('not forgotten');
  });

  test('a crash of the server: both come back, nothing acknowledged is lost', async () => {
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
    expect(await ada.bodies()).toEqual(await bob.bodies());
  });
});

describe('groups and channels', () => {
  test('a group: all see all, and who is removed sees no more', async () => {
    const [ada, bob, cleo] = await Promise.all([join('Ada'), join('Bob'), join('Cleo')]);
    await ada.create('group', 'Tea', bob, cleo);
    await Promise.all([bob.open('Tea'), cleo.open('Tea')]);
    await ada.say('welcome');
    await Promise.all([bob.sees('welcome'), cleo.sees('welcome')]);

    await ada.get('members').click();
    await expect.poll(() => ada.get('member').count(), patience).toBe(3);
    const cleosLine = ada.get('member').filter({ hasText: 'Cleo' });
    await cleosLine.getByTestId('remove-member').click();
    await ada.get('confirm').click();
    await expect.poll(() => cleo.get('chat-item').count(), patience).toBe(0);
    await expect.poll(() => ada.get('member').count(), patience).toBe(2);
    expect(await cleo.get('chat').count()).toBe(0);

    await ada.get('add-people').click();
    await ada.get('people-search').fill(cleo.username);
    await ada.page.locator(`[data-testid="person"][data-username="${cleo.username}"]`).click();
    await cleo.open('Tea');
    await cleo.sees('welcome');
  });

  test('roles: an admin may manage, a member may leave', async () => {
    const [ada, bob] = await Promise.all([join('Ada'), join('Bob')]);
    await ada.create('private', 'Plans', bob);
    await bob.open('Plans');
    await bob.get('members').click();
    await expect.poll(() => bob.get('member').count(), patience).toBe(2);
    expect(await bob.get('add-people').count()).toBe(0);
    await ada.get('members').click();
    await ada.get('member').filter({ hasText: 'Bob' }).getByTestId('role').selectOption('admin');
    await bob.get('add-people').waitFor();
    await bob.get('chat-settings').click();
    await bob.get('leave').click();
    await bob.get('confirm').click();
    await expect.poll(() => bob.get('chat-item').count(), patience).toBe(0);
    await expect.poll(() => ada.get('member').count(), patience).toBe(1);
  });

  test('a public channel can be found and joined, and shows its history', async () => {
    const [ada, bob] = await Promise.all([join('Ada'), join('Bob')]);
    const name = `Garden ${ada.username}`;
    await ada.create('public', name);
    await ada.say('first', 'second');
    await ada.nothingPending();
    await bob.get('browse').click();
    await bob.get('public-search').fill(name);
    await bob.get('public-chat').filter({ hasText: name }).getByTestId('join').click();
    await bob.sees('first', 'second');
    await bob.say('nice here');
    await ada.sees('first', 'second', 'nice here');
  });
});

describe('history', () => {
  test('is read upward, and what is on screen stays where it is', async () => {
    const [ada, bob] = await talk();
    const id = await ada.chatId();
    await ada.post(id, Array.from({ length: 130 }, (_, i) => `line ${i}`));
    await bob.page.reload();
    await bob.online();
    await expect.poll(async () => (await bob.bodies()).at(-1), patience).toBe('line 129');
    const messages = bob.get('messages');
    const atEnd = () => messages.evaluate((el) => el.scrollHeight - el.scrollTop - el.clientHeight < 5);
    await expect.poll(atEnd, patience).toBe(true);

    // What is on screen when older messages come is where it was, once they are there.
    await messages.evaluate((el) => el.scrollTo(0, el.scrollHeight / 2));
    const seen = new Set<string>();
    await bob.page.mouse.move(700, 300);
    for (let up = 0; up < 400 && !seen.has('line 0'); up++) {
      await bob.page.mouse.wheel(0, -300);
      for (const body of await bob.bodies()) seen.add(body);
    }
    expect(seen.size).toBe(130);
    expect((await bob.bodies())[0]).toBe('line 0');
    await bob.get('to-latest').click();
    await expect.poll(async () => (await bob.bodies()).at(-1), patience).toBe('line 129');
    await expect.poll(atEnd, patience).toBe(true);
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
    expect(await ada.get('session').count()).toBe(1);
  });

  test('a wrong password is told', async () => {
    const ada = await join('Ada');
    await ada.get('log-out').click();
    await ada.get('username').fill(ada.username);
    await ada.get('password').fill('wrong password');
    await ada.get('submit').click();
    await ada.get('sign-in-error').waitFor();
  });
});

test('on a phone there is one column, and a way back', async () => {
  const [ada, bob] = await Promise.all([join('Ada', { viewport: { width: 390, height: 780 } }), join('Bob')]);
  await bob.writeTo(ada);
  await bob.say('on the go?');
  await ada.item('Bob').click();
  await ada.sees('on the go?');
  expect(await ada.get('chat-list').isVisible()).toBe(false);
  const width = await ada.page.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBeLessThanOrEqual(390);
  await ada.get('back').click();
  expect(await ada.get('chat-list').isVisible()).toBe(true);
});
