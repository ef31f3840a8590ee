import { describe, expect, test } from 'vitest';
import { patience, stage } from './stage.ts';

/** Two and three people with real browsers at a real server. */

const { join, talk } = stage();

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
    const seen = await messages.evaluate(async (el) => {
      const all = new Set<string>();
      el.scrollTo(0, el.scrollHeight / 2);
      for (let up = 0; up < 1_000 && !all.has('line 0'); up++) {
        el.scrollTop -= 150;
        await new Promise(requestAnimationFrame);
        for (const body of el.querySelectorAll('[data-testid="body"]')) all.add(body.textContent);
      }
      return all.size;
    });
    expect(seen).toBe(130);
    expect((await bob.bodies())[0]).toBe('line 0');
    await bob.get('to-latest').click();
    await expect.poll(async () => (await bob.bodies()).at(-1), patience).toBe('line 129');
    await expect.poll(atEnd, patience).toBe(true);
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
