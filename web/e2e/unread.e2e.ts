import { describe, expect, test } from 'vitest';
import type { Person } from './person.ts';
import { patience, stage } from './stage.ts';

/** A chat opens where one stopped, what was not seen stays unread, and what one sends is in view. */

const { join, talk } = stage();

const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `line ${from + i}`);
const unread = async (person: Person) => (await person.api<{ chats: { unread: number }[] }>('GET', '/chats')).chats[0]!.unread;

/** The texts that are in view, from the first to the last. */
const inView = (person: Person) => () =>
  person.get('messages').evaluate((list) => {
    const { top, bottom } = list.getBoundingClientRect();
    const seen = (el: Element) => el.getBoundingClientRect().bottom > top + 2 && el.getBoundingClientRect().top < bottom - 2;
    return [...list.querySelectorAll('[data-testid="body"]')].filter(seen).map((el) => el.textContent);
  });

async function wheel(person: Person, by: number): Promise<void> {
  await person.get('messages').hover();
  await person.page.mouse.wheel(0, by);
}

/** Bob is not there while Ada writes. */
async function missed(count: number): Promise<[Person, Person, string]> {
  const [ada, bob] = await Promise.all([join('Ada'), join('Bob')]);
  await ada.writeTo(bob);
  const id = await ada.chatId();
  await ada.post(id, lines(0, 80));
  await bob.item('Ada').waitFor();
  await bob.api('PUT', `/chats/${id}/cursor`, { read_seq: 10_000 });
  await bob.page.reload();
  await bob.online();
  await ada.post(id, lines(80, 80 + count));
  await expect.poll(() => bob.item('Ada').getByTestId('unread-badge').textContent(), patience).toBe(`${count > 99 ? '99+' : count} unread`);
  return [ada, bob, id];
}

describe('a chat with more unread messages than fit', () => {
  test.each([35, 120])('opens at the first of %i, and what was not seen stays unread', async (count) => {
    const [, bob] = await missed(count);
    await bob.item('Ada').click();
    await bob.get('new-line').waitFor();
    await expect.poll(async () => (await inView(bob)()).includes('line 80'), patience).toBe(true);
    const line = await bob.get('new-line').boundingBox();
    const list = await bob.get('messages').boundingBox();
    expect(line!.y).toBeGreaterThanOrEqual(list!.y);
    expect(line!.y).toBeLessThan(list!.y + 120);
    // What is in view is read, and no more, but for a sliver at the edge.
    const last = async () => Number((await inView(bob)()).at(-1)!.split(' ')[1]);
    const first = await last();
    await expect.poll(() => unread(bob), patience).toBeLessThan(count);
    expect(await unread(bob)).toBeGreaterThanOrEqual(80 + count - 2 - Math.max(first, await last()));
    await expect.poll(() => bob.get('to-latest').textContent(), patience).toContain(`Jump to latest (${await unread(bob)})`);
  });

  test('is read as one scrolls through it', async () => {
    const [, bob] = await missed(120);
    await bob.item('Ada').click();
    await bob.get('new-line').waitFor();
    await expect
      .poll(async () => {
        await wheel(bob, 300);
        return (await bob.get('to-latest').count()) === 0 && (await inView(bob)()).at(-1);
      }, patience)
      .toBe('line 199');
    await expect.poll(() => unread(bob), patience).toBe(0);
    expect(await bob.get('to-unread').count()).toBe(0);
  });

  test('stays unread when one leaps over it, and there is a way back, and one to be done with it', async () => {
    const [, bob] = await missed(120);
    await bob.item('Ada').click();
    await bob.get('new-line').waitFor();
    await bob.get('to-latest').click();
    await expect.poll(async () => (await inView(bob)()).at(-1), patience).toBe('line 199');
    await bob.get('to-unread').waitFor();
    expect(await unread(bob)).toBeGreaterThan(50);
    await bob.get('to-unread').click();
    await expect.poll(async () => (await inView(bob)()).some((text) => /^line (8|9)\d$/.test(text)), patience).toBe(true);
    await bob.get('mark-all-read').click();
    await expect.poll(() => unread(bob), patience).toBe(0);
    await expect.poll(() => bob.item('Ada').getByTestId('unread-badge').count(), patience).toBe(0);
  });
});

describe('what one sends', () => {
  test('is in view after a draft of many lines', async () => {
    const [ada] = await talk();
    await ada.post(await ada.chatId(), lines(0, 60));
    await expect.poll(async () => (await inView(ada)()).at(-1), patience).toBe('line 59');
    await ada.get('composer').fill('one\ntwo\nthree\nfour\nfive');
    await expect.poll(async () => (await inView(ada)()).at(-1), patience).toBe('line 59');
    await ada.get('composer').press('Enter');
    await expect.poll(async () => (await inView(ada)()).at(-1), patience).toBe('one\ntwo\nthree\nfour\nfive');
    await ada.nothingPending();
    expect((await inView(ada)()).at(-1)).toBe('one\ntwo\nthree\nfour\nfive');
  });

  test('is in view wherever one had scrolled', async () => {
    const [ada] = await talk();
    await ada.post(await ada.chatId(), lines(0, 60));
    await expect.poll(async () => (await inView(ada)()).at(-1), patience).toBe('line 59');
    await wheel(ada, -900);
    await ada.get('to-latest').waitFor();
    await ada.say('here I am');
    await expect.poll(async () => (await inView(ada)()).at(-1), patience).toBe('here I am');
  });
});

test('what comes while nobody looks begins below a line', async () => {
  const [ada, bob] = await talk();
  await ada.say('seen');
  await bob.sees('seen');
  await bob.hasReadAll();
  const blur = (away: boolean) =>
    bob.page.evaluate((gone) => {
      document.hasFocus = () => !gone;
      dispatchEvent(new Event(gone ? 'blur' : 'focus'));
    }, away);
  await blur(true);
  await ada.post(await ada.chatId(), lines(0, 40));
  await bob.get('new-line').waitFor();
  await expect.poll(async () => (await inView(bob)()).includes('line 0'), patience).toBe(true);
  // All are here: those that come while one looks would be read as they come.
  await expect.poll(() => bob.get('to-latest').textContent(), patience).toContain('(40)');
  expect(await unread(bob)).toBe(40);
  await blur(false);
  await expect.poll(() => unread(bob), patience).toBeLessThan(40);
  expect(await unread(bob)).toBeGreaterThan(0);
});
