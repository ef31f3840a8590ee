import { describe, expect, test } from 'vitest';
import { patience, stage } from './stage.ts';

/** People find what others wrote, and get to where it was said. */

const { join, talk } = stage();
const marked = 'mark';

describe('search', () => {
  test('finds a Chinese word that was just sent from another browser', async () => {
    const [ada, bob] = await talk();
    await ada.say('明天去买绿茶和点心', 'something else');
    await bob.sees('明天去买绿茶和点心', 'something else');
    await bob.page.keyboard.press('Control+k');
    await bob.get('search-input').fill('绿茶');
    const hit = bob.get('search-hit');
    await expect.poll(() => hit.count(), patience).toBe(1);
    expect(await hit.getByTestId('highlight').textContent()).toBe('明天去买绿茶和点心');
    expect((await hit.locator(marked).allTextContents()).join('')).toContain('绿茶');
    expect(await hit.textContent()).toContain('Ada');
    await bob.page.keyboard.press('Enter');
    await expect.poll(() => bob.get('search').count(), patience).toBe(0);
    await bob.message('明天去买绿茶和点心').waitFor();
  });

  test('leads to a message far up, in its context, and back to the latest', async () => {
    const [ada, bob] = await talk();
    const id = await ada.chatId();
    await ada.post(id, ['a hippopotamus <b>bold</b>', ...Array.from({ length: 160 }, (_, i) => `line ${i}`)]);
    await bob.page.reload();
    await bob.online();
    await expect.poll(async () => (await bob.bodies()).length, patience).toBeGreaterThan(20);
    await bob.get('open-search').click();
    await bob.get('search-input').fill('hippopotamus');
    await bob.get('search-hit').first().waitFor();
    expect(await bob.get('search-hit').locator('b').count()).toBe(0);
    await bob.page.keyboard.press('ArrowDown');
    await bob.page.keyboard.press('Enter');
    const found = bob.message('a hippopotamus <b>bold</b>');
    await found.waitFor();
    expect(await found.isVisible()).toBe(true);

    // New messages are not appended to the past.
    await ada.say('news');
    await bob.get('to-latest').waitFor();
    expect(await bob.message('news').count()).toBe(0);
    await bob.page.keyboard.press('Escape');
    await bob.message('news').waitFor();
  });

  test('offers chats by name, applies filters, and says when there are no results', async () => {
    const ada = await join('Ada');
    const bob = await join('Bob');
    await ada.create('private', 'Plans', bob);
    await ada.say('tea at five');
    await ada.create('group', 'Kitchen', bob);
    await ada.say('tea is out');
    await bob.get('open-search').click();
    await bob.get('search-input').fill('kit');
    await expect.poll(() => bob.get('search-chat').allTextContents(), patience).toEqual([expect.stringContaining('Kitchen')]);
    await bob.get('search-input').fill('tea');
    await expect.poll(() => bob.get('search-hit').count(), patience).toBe(2);
    await bob.get('search-input').fill('tea in:Plans');
    await expect.poll(() => bob.get('highlight').allTextContents(), patience).toEqual(['tea at five']);
    await bob.get('search-input').fill('xyzzyq');
    await bob.get('nothing-found').waitFor();
    await bob.page.keyboard.press('Escape');
    await expect.poll(() => bob.get('search').count(), patience).toBe(0);
  });

  test('looks into the open chat alone, whatever it is called, until it is widened', async () => {
    const ada = await join('Ada');
    const bob = await join('Bob');
    await ada.create('public', '#general');
    await ada.say('tea in general');
    await ada.get('new-chat').click();
    await ada.get('kind-group').click();
    await ada.get('people-search').fill(bob.username);
    await ada.page.locator(`[data-testid="person"][data-username="${bob.username}"]`).click();
    await ada.get('create-chat').click();
    await ada.titled('Bob');
    await ada.say('tea without a name');
    for (const [title, body] of [['Bob', 'tea without a name'], ['#general', 'tea in general']] as const) {
      await ada.open(title);
      await ada.get('search-here').click();
      await ada.get('search-within').getByText(title).waitFor();
      await ada.get('search-input').fill('tea');
      await expect.poll(() => ada.get('highlight').allTextContents(), patience).toEqual([body]);
      expect(await ada.get('search-chat').count()).toBe(0);
      if (title === 'Bob') await ada.page.keyboard.press('Escape');
    }
    await ada.get('search-within').click();
    await expect.poll(() => ada.get('search-hit').count(), patience).toBe(2);
    expect(await ada.get('search-within').count()).toBe(0);
  });
});
