import { expect, test } from 'vitest';
import { patience, stage } from './stage.ts';

/** People who hardly ever take their hands off the keyboard. */

const { join, talk } = stage();

test('the keyboard does everything with a message, and new ones are announced', async () => {
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
  await expect.poll(() => bob.message('to the first').getByTestId('quote').textContent(), patience).toContain('Bob first');
  await ada.page.keyboard.type('half a thought');
  await ada.page.reload();
  await ada.online();
  await expect.poll(() => ada.get('composer').inputValue(), patience).toBe('half a thought');
});

test('one Escape closes a dialog and returns the focus; typing anywhere goes to the composer', async () => {
  const [ada, bob] = await Promise.all([join('Ada'), join('Bob')]);
  const focused = () => ada.page.evaluate(() => document.activeElement?.getAttribute('data-testid'));
  await ada.writeTo(bob);
  await expect.poll(focused, patience).toBe('composer');

  // A search box that is not empty would use the first Escape to clear itself.
  await ada.get('browse').click();
  await ada.get('public-search').fill('tea');
  await ada.page.keyboard.press('Escape');
  await expect.poll(() => ada.get('dialog').count(), patience).toBe(0);
  await expect.poll(focused, patience).toBe('browse');
  await ada.get('account').click();
  await ada.get('close-dialog').click();
  await expect.poll(focused, patience).toBe('account');

  // A dialog opened right after another is not closed along with it.
  await ada.get('shortcuts').click();
  await ada.page.keyboard.press('Escape');
  await ada.page.keyboard.press('Control+k');
  await ada.get('search-input').fill('bob');
  await expect.poll(() => ada.get('search-chat').count(), patience).toBe(1);
  await ada.page.keyboard.press('Escape');
  await expect.poll(() => ada.get('search').count(), patience).toBe(0);

  await ada.say('mine');
  await bob.open('Ada');
  await bob.sees('mine');
  await ada.message('mine').getByTestId('body').click();
  await ada.page.keyboard.type('every letter, r and e too');
  await expect.poll(() => ada.get('composer').inputValue(), patience).toBe('every letter, r and e too');
  expect(await ada.get('edit-box').count()).toBe(0);

  // Escape closes the members as well.
  await ada.create('group', 'Tea', bob);
  await expect.poll(focused, patience).toBe('composer');
  await ada.get('members').click();
  await ada.get('member').nth(1).getByTestId('role').focus();
  await ada.page.keyboard.press('Escape');
  await expect.poll(() => ada.get('members-panel').count(), patience).toBe(0);
  await expect.poll(focused, patience).toBe('members');

  // Logging out would lose the draft in the other chat.
  await expect.poll(() => ada.item('Bob').getByTestId('last-message').textContent(), patience).toContain('every letter');
  await ada.get('log-out').click();
  await ada.get('confirm-no').click();
  await ada.get('log-out').click();
  await ada.get('confirm').click();
  await ada.get('sign-in').waitFor();
});

test('the last own message can be edited wherever it is, and a long one is folded', async () => {
  const [ada, bob] = await talk();
  const id = await ada.chatId();
  await ada.say('first of all');
  await bob.sees('first of all');
  await bob.post(id, Array.from({ length: 60 }, (_, i) => `line ${i}`));
  await bob.say('tall '.repeat(3_000));
  await ada.get('whole').waitFor();
  const height = () => ada.get('body').last().evaluate((el) => el.clientHeight);
  await expect.poll(height, patience).toBeLessThan(400);
  await ada.get('whole').click();
  await expect.poll(height, patience).toBeGreaterThan(1_000);

  await ada.get('composer').press('ArrowUp');
  await ada.get('edit-box').fill('first, after all');
  await ada.get('edit-box').press('Enter');
  await ada.message('first, after all').waitFor();
  await expect.poll(() => ada.page.evaluate(() => document.activeElement?.id), patience).toBe('composer');
});

test('Tab stops once in the list of chats, and the arrow keys reach the others', async () => {
  const [ada, bob] = await talk();
  await ada.create('group', 'Tea', bob);
  await ada.create('group', 'Water', bob);
  const stops = () => ada.page.locator('[data-testid=chat-item][tabindex="0"]').getByTestId('chat-title').allTextContents();
  const focused = () => ada.page.evaluate(() => document.activeElement?.querySelector('[data-testid=chat-title]')?.textContent);
  await expect.poll(stops, patience).toEqual(['Water']);
  await ada.item('Water').focus();
  await ada.page.keyboard.press('ArrowDown');
  await expect.poll(focused, patience).toBe('Tea');
  await expect.poll(stops, patience).toEqual(['Tea']);
  await ada.page.keyboard.press('Home');
  await expect.poll(focused, patience).toBe('Bob');
  await ada.page.keyboard.press('ArrowUp');
  await expect.poll(focused, patience).toBe('Bob');
  await ada.page.keyboard.press('Enter');
  await ada.get('open-title').getByText('Bob', { exact: true }).waitFor();
  await expect.poll(stops, patience).toEqual(['Bob']);
});
