import { expect, test } from 'vitest';
import type { Person } from './person.ts';
import { patience, stage } from './stage.ts';

/** The list of chats of somebody who is in more than a hundred. */

const { join } = stage();
const channels = 120;

/** Makes channels of a person's own. */
async function fill(person: Person): Promise<void> {
  await person.page.evaluate(async (count) => {
    const headers = { 'Content-Type': 'application/json' };
    const make = (n: number) => fetch('/api/v1/chats', { method: 'POST', headers, body: JSON.stringify({ kind: 'private', name: `channel ${n}` }) });
    for (let n = 0; n < count; n += 10) await Promise.all(Array.from({ length: 10 }, (_, i) => make(n + i)));
  }, channels);
  await person.page.reload();
  await person.online();
  await person.item('channel 0').waitFor();
}

const top = async (person: Person, title: string) => {
  const [item, list] = await Promise.all([person.item(title).boundingBox(), person.get('chat-list').boundingBox()]);
  return item!.y - list!.y;
};

test('unread chats come first, the open one is in view, and little is drawn', async () => {
  const [ada, bob] = await Promise.all([join('Ada'), join('Bob')]);
  await fill(ada);
  expect(await ada.get('chat-item').count()).toBeLessThan(60);
  expect(await ada.page.evaluate(() => document.querySelectorAll('nav *').length)).toBeLessThan(1_000);

  await bob.writeTo(ada);
  await bob.say('are you there?');
  await ada.item('Bob').waitFor();
  expect(await top(ada, 'Bob')).toBeLessThan(120);
  expect(await ada.item('Bob').getByTestId('unread-badge').textContent()).toBe('1 unread');

  // It stays where it is while it is read, and goes to its place afterwards.
  await ada.item('Bob').click();
  await expect.poll(() => ada.item('Bob').getByTestId('unread-badge').count(), patience).toBe(0);
  await ada.hasReadAll();
  expect(await top(ada, 'Bob')).toBeLessThan(120);
  await ada.item('channel 0').click();
  await expect.poll(() => ada.page.locator('[data-section="unread"]').count(), patience).toBe(0);

  // Alt and the arrow keys take the list along.
  for (let i = 0; i < 50; i++) await ada.page.keyboard.press('Alt+ArrowDown');
  await ada.titled('channel 50');
  await expect.poll(() => ada.item('channel 50').isVisible(), patience).toBe(true);
  const [item, list] = await Promise.all([ada.item('channel 50').boundingBox(), ada.get('chat-list').boundingBox()]);
  expect(item!.y + item!.height).toBeLessThanOrEqual(list!.y + list!.height + 1);

  // What is unread above says so, and leads there.
  await bob.say('hello?');
  await expect.poll(() => ada.get('unread-above').textContent(), patience).toContain('1 unread above');
  await ada.get('unread-above').click();
  await expect.poll(() => ada.item('Bob').isVisible(), patience).toBe(true);

  // A direct chat can be closed.
  await ada.item('Bob').hover();
  await ada.get('close-chat').first().click();
  await expect.poll(() => ada.item('Bob').count(), patience).toBe(0);
  await bob.say('one more thing');
  await ada.item('Bob').waitFor();
});

test('the keyboard goes from area to area, and the document is no longer than the window', async () => {
  const [ada, bob] = await Promise.all([join('Ada'), join('Bob')]);
  await ada.writeTo(bob);
  await ada.post(await ada.chatId(), Array.from({ length: 80 }, (_, i) => `line ${i}`));
  await ada.message('line 79').waitFor();
  const focused = () => ada.page.evaluate(() => document.activeElement?.getAttribute('data-testid'));
  await ada.get('composer').focus();
  const visited: (string | null | undefined)[] = [];
  for (let i = 0; i < 3; i++) {
    await ada.page.keyboard.press('F6');
    visited.push(await focused());
  }
  expect(visited).toEqual(['chat-item', 'messages', 'composer']);
  const { scroll, inner } = await ada.page.evaluate(() => ({ scroll: document.documentElement.scrollHeight, inner: innerHeight }));
  expect(scroll).toBeLessThanOrEqual(inner);
});

test('the time in front of a message fits in American English', async () => {
  const [ada, bob] = await Promise.all([join('Ada', { locale: 'en-US' }), join('Bob')]);
  await ada.writeTo(bob);
  await ada.say('one', 'two');
  await ada.nothingPending();
  await ada.message('two').hover();
  const fits = await ada.message('two').locator('.gutter time').evaluate((time) => time.getBoundingClientRect().width <= time.parentElement!.getBoundingClientRect().width);
  expect(fits).toBe(true);
});
