import { expect, test } from 'vitest';
import { patience, stage } from './stage.ts';

/** Who hardly ever takes the hand off the keyboard. */

const { join, talk } = stage();

test('the keyboard does everything with a message, and new ones are read out', async () => {
  const [ada, bob] = await talk();
  await bob.say('first', 'second');
  await ada.sees('first', 'second');
  await expect.poll(() => ada.get('announced').textContent(), patience).toBe('Bob: second');
  await ada.get('messages').focus();
  await ada.page.keyboard.press('ArrowUp');
  await ada.page.keyboard.press('ArrowUp');
  await ada.page.keyboard.press('r');
  await ada.get('replying').waitFor();
  await ada.page.keyboard.type('to the first');
  await ada.page.keyboard.press('Enter');
  expect(await bob.message('to the first').getByTestId('quote').textContent()).toContain('first');
  await ada.page.keyboard.type('half a thought');
  await ada.page.reload();
  await ada.online();
  await expect.poll(() => ada.get('composer').inputValue(), patience).toBe('half a thought');
});

test('dialogs close by one Escape and give the focus back; what is typed anywhere is for the composer', async () => {
  const [ada, bob] = await Promise.all([join('Ada'), join('Bob')]);
  const focused = () => ada.page.evaluate(() => document.activeElement?.getAttribute('data-testid'));
  await ada.writeTo(bob);
  await expect.poll(focused, patience).toBe('composer');

  // A search box that holds something would take the first Escape for itself.
  await ada.get('browse').click();
  await ada.get('public-search').fill('tea');
  await ada.page.keyboard.press('Escape');
  expect(await ada.get('dialog').count()).toBe(0);
  expect(await focused()).toBe('browse');
  await ada.get('account').click();
  await ada.get('close-dialog').click();
  expect(await focused()).toBe('account');

  // One dialog right after another is not closed with it.
  await ada.get('shortcuts').click();
  await ada.page.keyboard.press('Escape');
  await ada.page.keyboard.press('Control+k');
  await ada.get('search-input').fill('bob');
  await expect.poll(() => ada.get('search-chat').count(), patience).toBe(1);
  await ada.page.keyboard.press('Escape');
  expect(await ada.get('search').count()).toBe(0);

  await ada.say('mine');
  await bob.open('Ada');
  await bob.sees('mine');
  await ada.message('mine').getByTestId('body').click();
  await ada.page.keyboard.type('every letter, r and e too');
  expect(await ada.get('composer').inputValue()).toBe('every letter, r and e too');
  expect(await ada.get('edit-box').count()).toBe(0);

  // The members are left by Escape as well.
  await ada.create('group', 'Tea', bob);
  await expect.poll(focused, patience).toBe('composer');
  await ada.get('members').click();
  await ada.get('member').nth(1).getByTestId('role').focus();
  await ada.page.keyboard.press('Escape');
  expect(await ada.get('members-panel').count()).toBe(0);
  expect(await focused()).toBe('members');

  // The draft of the other chat would be lost.
  expect(await ada.item('Bob').getByTestId('last-message').textContent()).toContain('every letter');
  await ada.get('log-out').click();
  await ada.get('confirm-no').click();
  await ada.get('log-out').click();
  await ada.get('confirm').click();
  await ada.get('sign-in').waitFor();
});

test('one\'s last message is edited wherever it is, and a long one shows its beginning', async () => {
  const [ada, bob] = await talk();
  const id = await ada.chatId();
  await ada.say('first of all');
  await bob.sees('first of all');
  await bob.post(id, Array.from({ length: 60 }, (_, i) => `line ${i}`));
  await bob.say('tall '.repeat(3_000));
  await ada.get('whole').waitFor();
  const height = () => ada.get('body').last().evaluate((el) => el.clientHeight);
  expect(await height()).toBeLessThan(400);
  await ada.get('whole').click();
  await expect.poll(height, patience).toBeGreaterThan(1_000);

  await ada.get('composer').press('ArrowUp');
  await ada.get('edit-box').fill('first, after all');
  await ada.get('edit-box').press('Enter');
  await ada.message('first, after all').waitFor();
  expect(await ada.page.evaluate(() => document.activeElement?.id)).toBe('composer');
});
