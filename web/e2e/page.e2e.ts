import { describe, expect, test } from 'vitest';
import { patience, stage } from './stage.ts';

/** Two or three people with real browsers at a real server. */

const { join, talk } = stage();

describe('a direct chat', () => {
  test('both see what is written, in order', async () => {
    const [ada, bob] = await talk();
    await ada.say('hello Bob', 'how are you?');
    await bob.sees('hello Bob', 'how are you?');
    await bob.say('fine');
    await ada.sees('hello Bob', 'how are you?', 'fine');
    await ada.nothingPending();
  });

  test('text is shown as text, and Shift+Enter begins a new line', async () => {
    const [ada, bob] = await talk();
    await ada.get('composer').pressSequentially('<b>one</b>');
    await ada.get('composer').press('Shift+Enter');
    await ada.get('composer').pressSequentially('two 你好 👋');
    await ada.get('composer').press('Enter');
    await bob.sees('<b>one</b>\ntwo 你好 👋');
    expect(await bob.page.locator('[data-testid="body"] b').count()).toBe(0);
  });

  test('unread messages and mentions are counted until the chat is read', async () => {
    const [ada, bob] = await Promise.all([join('Ada'), join('Bob')]);
    await ada.writeTo(bob);
    await ada.say('one', `two @${bob.username}`, 'three');
    const item = bob.item('Ada');
    await expect.poll(() => item.getByTestId('unread-badge').textContent(), patience).toBe('3 unread');
    // In a direct chat everything calls the user: one number says so.
    expect(await item.getByTestId('mention-badge').count()).toBe(0);
    await item.click();
    await expect.poll(() => item.getByTestId('unread-badge').count(), patience).toBe(0);
    await bob.hasReadAll();
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
    await expect.poll(() => reaction.textContent(), patience).toContain('2');
    await reaction.click();
    await expect.poll(() => bob.message('party?').getByTestId('reaction').textContent(), patience).toContain('1');

    await bob.act('party?', 'reply');
    await bob.say('yes!');
    await expect.poll(() => ada.message('yes!').getByTestId('quote').textContent(), patience).toContain('party?');
  });

  test('code is coloured, lists keep their numbers, tables their words, names of emoji become emoji', async () => {
    const [ada, bob] = await talk();
    await ada.say('```go\nfunc main() {}\n```', '1. one\n3. three', `| item | price |\n|---|--:|\n| ${'Internationalization '.repeat(20).trim().replaceAll(' ', ' | ')} |`, ':tada: done');
    await bob.message('🎉 done').waitFor();
    await bob.page.locator('pre .keyword').getByText('func').waitFor();
    const values = () => bob.page.locator('ol > li').evaluateAll((items) => items.map((item) => (item as HTMLLIElement).value));
    expect(await values()).toEqual([1, 3]);
    const price = bob.page.locator('th').nth(1);
    expect(await price.evaluate((cell) => getComputedStyle(cell).textAlign)).toBe('right');
    const lines = await bob.page.locator('td').evaluateAll((cells) => cells.map((cell) => Math.round(cell.getBoundingClientRect().height)));
    expect(new Set(lines).size, 'heights of cells of one word').toBe(1);
    const table = bob.page.locator('.table');
    expect(await table.evaluate((box) => box.scrollWidth > box.clientWidth && document.body.scrollWidth <= innerWidth)).toBe(true);
  });

  test('among words from right to left, mentions, addresses and code begin at their left', async () => {
    const [ada, bob] = await talk();
    await ada.say(`مرحبا @${bob.username} و https://a.example/ و \`./run\` و`);
    const parts = bob.page.locator('[data-testid="body"] :is(.mention, a, code)');
    await expect.poll(() => parts.count(), patience).toBe(3);
    const ends = await parts.evaluateAll((found) =>
      found.map((part) => {
        const texts = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
        const text = texts.nextNode() as Text;
        const left = (at: number) => {
          const range = document.createRange();
          range.setStart(text, at);
          range.setEnd(text, at + 1);
          return range.getBoundingClientRect().left;
        };
        return left(0) < left(1) && left(0) < left(text.length - 1);
      }),
    );
    expect(ends).toEqual([true, true, true]);
  });

  test('what unfolds a long message stands below it', async () => {
    const [ada, bob] = await talk();
    await ada.say('a\n'.repeat(40));
    const [body, button] = await Promise.all([bob.get('body').boundingBox(), bob.get('whole').boundingBox()]);
    expect(button!.y).toBeGreaterThanOrEqual(body!.y + body!.height);
  });
});

describe('groups and channels', () => {
  test('everyone in a group sees everything, until they are removed', async () => {
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
    await expect.poll(() => cleo.get('chat').count(), patience).toBe(0);

    await ada.get('add-people').click();
    await ada.get('people-search').fill(cleo.username);
    await ada.page.locator(`[data-testid="person"][data-username="${cleo.username}"]`).click();
    await cleo.open('Tea');
    await cleo.sees('welcome');
  });

  test('an admin may manage, a member may invite and leave', async () => {
    const [ada, bob] = await Promise.all([join('Ada'), join('Bob')]);
    await ada.create('private', 'Plans', bob);
    await bob.open('Plans');
    await bob.get('members').click();
    await expect.poll(() => bob.get('member').count(), patience).toBe(2);
    // A member may invite, and change nothing.
    expect([await bob.get('add-people').count(), await bob.get('role').count()]).toEqual([1, 0]);
    await ada.get('members').click();
    await ada.get('member').filter({ hasText: 'Bob' }).getByTestId('role').selectOption('admin');
    await expect.poll(() => bob.get('member').filter({ hasText: 'Bob' }).getByTestId('role-name').textContent(), patience).toBe('Admin');
    await bob.get('chat-settings').click();
    await bob.get('settings-name').waitFor();
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
  test('opens at its end, with reduced motion too', async () => {
    const [ada, bob] = await Promise.all([join('Ada', { reducedMotion: 'reduce' }), join('Bob')]);
    await ada.writeTo(bob);
    await ada.post(await ada.chatId(), Array.from({ length: 70 }, (_, i) => `line ${i}`));
    await ada.page.reload();
    await ada.online();
    // First the end is drawn, then the rest above it: the end stays in view.
    await expect.poll(async () => (await ada.get('message').count()) > 30, patience).toBe(true);
    const below = () => ada.get('messages').evaluate((el) => el.scrollHeight - el.scrollTop - el.clientHeight);
    await expect.poll(below, patience).toBeLessThan(60);
  });

  test('loads upward, and what is on screen stays in place', async () => {
    const [ada, bob] = await talk();
    const id = await ada.chatId();
    await ada.post(id, Array.from({ length: 130 }, (_, i) => `line ${i}`));
    await bob.hasReadAll();
    await bob.page.reload();
    await bob.online();
    await expect.poll(async () => (await bob.bodies()).at(-1), patience).toBe('line 129');
    const messages = bob.get('messages');
    const atEnd = () => messages.evaluate((el) => el.scrollHeight - el.scrollTop - el.clientHeight < 5);
    await expect.poll(atEnd, patience).toBe(true);

    // Scrolling up from the end in small steps skips nothing while older messages load above.
    const seen = await messages.evaluate(async (el) => {
      const all = new Set<string>();
      const look = () => el.querySelectorAll('[data-testid="body"]').forEach((body) => all.add(body.textContent));
      for (look(); !all.has('line 0'); look()) {
        el.scrollTop -= 150;
        await new Promise(requestAnimationFrame);
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

test('under a path of another site the page says that it cannot be there', async () => {
  const ada = await join('Ada');
  expect(await ada.page.locator('#lost').isVisible()).toBe(false);
  const stranger = await ada.page.context().browser()!.newPage();
  // A proxy that strips the path passes on the page, and nothing that it asks for at the root.
  await stranger.route('**/*', (route) => (route.request().isNavigationRequest() ? route.continue() : route.abort()));
  await stranger.goto(ada.cable.url);
  expect(await stranger.locator('#lost').isVisible()).toBe(true);
  await stranger.close();
});
