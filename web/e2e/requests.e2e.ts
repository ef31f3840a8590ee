import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Person } from './person.ts';
import { patience, stage } from './stage.ts';

/** Requests of strangers, blocks, hidden chats and deletion by an administrator. */

const on = stage();
let keeper: Person;

beforeAll(async () => {
  keeper = await Person.stranger(on.browser, on.server, 'Keeper', { reducedMotion: 'reduce' });
});
afterAll(() => keeper?.dispose());

const quiet = { reducedMotion: 'reduce' } as const;
const pictures = process.env['PICTURES'];
const count = (person: Person, name: string) => () => person.get(name).count();
const me = async (person: Person) => (await person.api<{ id: string }>('GET', '/me')).id;

/** Keeps pictures of what is on screen by day, by night and on a phone, where PICTURES says. */
async function picture({ page }: Person, name: string, wide = false): Promise<void> {
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  const looks = { light: ['light', 1100], dark: ['dark', 1100], phone: ['light', 320] } as const;
  for (const [look, [colorScheme, width]] of Object.entries(looks)) {
    await page.emulateMedia({ colorScheme });
    // A menu closes when the window changes.
    if (!wide) await page.setViewportSize({ width, height: 640 });
    if (!wide || look !== 'phone') await page.screenshot({ path: `${pictures}/${name}-${look}.png` });
  }
  await page.emulateMedia({ colorScheme: 'light' });
  if (!wide) await page.setViewportSize({ width: 1280, height: 720 });
}

describe('a request', () => {
  test('waits by itself, counts nowhere, and is accepted', async () => {
    const [ada, eve] = await Promise.all([on.stranger('Ada', quiet), on.stranger('Eve', quiet)]);
    await eve.writeTo(ada);
    await eve.say('hello, you do not know me');
    await eve.nothingPending();
    await ada.page.locator('[data-section="requests"]').waitFor();
    await expect.poll(() => ada.item('Eve').getByTestId('last-message').textContent(), patience).toBe('hello, you do not know me');
    expect([await ada.page.title(), await ada.get('unread-badge').count()]).toEqual(['Fechatter', 0]);
    await ada.open('Eve');
    await ada.sees('hello, you do not know me');
    await expect.poll(() => ada.get('request-text').textContent(), patience).toMatch(/Eve.* wants to chat with you$/);
    expect(await count(ada, 'composer')()).toBe(0);
    await picture(ada, 'request');
    const second = await ada.window();
    await second.getByTestId('chat-item').click();
    await second.getByTestId('request').waitFor();
    await ada.get('accept').click();
    await ada.get('composer').waitFor();
    await second.getByTestId('composer').waitFor();
    expect(await ada.page.locator('[data-section="requests"]').count()).toBe(0);
    await ada.say('hello Eve');
    await eve.sees('hello, you do not know me', 'hello Eve');
  });

  test('is declined, and asked again', async () => {
    const [ada, eve] = await Promise.all([on.stranger('Ada', quiet), on.stranger('Eve', quiet)]);
    await eve.create('group', 'Prizes', ada);
    await ada.open('Prizes');
    await expect.poll(() => ada.get('request-text').textContent(), patience).toMatch(/Eve.* added you to .*Prizes/);
    await ada.get('decline').click();
    await ada.get('no-chat').waitFor();
    await expect.poll(count(ada, 'chat-item'), patience).toBe(0);
    await eve.writeTo(ada);
    await ada.open('Eve');
    await ada.get('decline').click();
    await ada.get('no-chat').waitFor();
    await eve.get('closed').waitFor();
    await picture(eve, 'declined');
    await eve.page.reload();
    await eve.get('closed').waitFor();
    await eve.titled('Ada');
    await eve.get('invite-again').click();
    await eve.get('composer').waitFor();
    await ada.item('Eve').waitFor();
  });

  test('is ended by a reaction, and many are one row', async () => {
    const ada = await on.stranger('Ada', quiet);
    const strangers = await Promise.all(['Eve', 'Mallory', 'Trent', 'Oscar'].map((name) => on.stranger(name, quiet)));
    for (const person of strangers) {
      await person.writeTo(ada);
      await person.say(`I am ${person.name}`);
      await person.nothingPending();
    }
    await expect.poll(() => ada.get('request-count').textContent(), patience).toBe('4');
    expect(await count(ada, 'chat-item')()).toBe(0);
    await picture(ada, 'requests-folded');
    await ada.page.locator('[data-section="requests"]').click();
    await expect.poll(count(ada, 'chat-item'), patience).toBe(4);
    await picture(ada, 'requests');
    await ada.open('Trent');
    await ada.react('I am Trent', '👍');
    await ada.get('composer').waitFor();
    await expect.poll(() => ada.get('request-count').textContent(), patience).toBe('3');
    await ada.open('Oscar');
    await ada.get('block-sender').click();
    await picture(ada, 'block-question');
    await ada.get('confirm').click();
    await expect.poll(() => ada.get('request-count').textContent(), patience).toBe('2');
  });
});

test('in Chinese, on 320 pixels, a request and its menu fit', async () => {
  const small = { ...quiet, locale: 'zh-CN', viewport: { width: 320, height: 640 } };
  const [ada, eve] = await Promise.all([on.stranger('Ada', small), on.stranger('伊芙', quiet)]);
  await eve.create('group', 'Prizes', ada);
  await eve.say('恭喜你中奖了');
  await eve.nothingPending();
  await ada.open('Prizes');
  await expect.poll(() => ada.get('request-text').textContent(), patience).toMatch(/伊芙.*将你加入了.*Prizes/);
  await ada.sees('恭喜你中奖了');
  await picture(ada, 'chinese', true);
  expect(await ada.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  await ada.get('block-sender').click();
  await ada.get('confirm').waitFor();
  await picture(ada, 'chinese-block', true);
});

describe('a block', () => {
  test('closes the direct chat, folds messages of groups, and is ended', async () => {
    const [ada, bob] = await Promise.all([on.join('Ada', quiet), on.join('Bob', quiet)]);
    await bob.create('group', 'Tea', ada);
    await bob.say('listen to me', 'listen!');
    await bob.nothingPending();
    await ada.open('Tea');
    await ada.sees('listen to me', 'listen!');
    await ada.get('members').click();
    await ada.get('member').filter({ hasText: 'Bob' }).getByTestId('person-menu').click();
    await picture(ada, 'person-menu', true);
    await ada.get('block').click();
    await ada.get('confirm').click();
    await expect.poll(count(ada, 'blocked-message'), patience).toBe(2);
    expect(await ada.bodies()).toEqual([]);
    await expect.poll(() => ada.item('Tea').getByTestId('last-message').textContent(), patience).toBe('Blocked message');
    await ada.get('members').click();
    await picture(ada, 'blocked');
    await ada.get('show-blocked').first().click();
    await ada.sees('listen to me');
    await bob.say(`@${ada.username} answer me`);
    await expect.poll(count(ada, 'blocked-message'), patience).toBe(2);
    await bob.get('new-chat').click();
    await bob.get('people-search').fill(ada.username);
    await bob.page.locator(`[data-testid="person"][data-username="${ada.username}"]`).click();
    await bob.get('refusal').waitFor();
    await ada.get('account').click();
    await ada.get('blocked').waitFor();
    await ada.get('blocked').scrollIntoViewIfNeeded();
    await picture(ada, 'blocks');
    await ada.get('unblock').click();
    await expect.poll(count(ada, 'blocked'), patience).toBe(0);
    await ada.get('close-dialog').click();
    await ada.sees('listen to me', 'listen!', `@${ada.username} answer me`);
  });
});

describe('a hidden chat', () => {
  test('is found by search, and comes back with the next message', async () => {
    const [ada, bob] = await Promise.all([on.join('Ada', quiet), on.join('Bob', quiet)]);
    await ada.writeTo(bob);
    await ada.say('until next year');
    await ada.nothingPending();
    await ada.get('chat-menu').click();
    await picture(ada, 'chat-menu', true);
    await ada.get('hide').click();
    await ada.get('no-chat').waitFor();
    await expect.poll(count(ada, 'chat-item'), patience).toBe(0);
    await ada.page.reload();
    await ada.online();
    await ada.get('no-chat').waitFor();
    await ada.page.keyboard.press('Control+k');
    await ada.get('search-input').fill('Bob');
    await ada.get('search-chat').first().click();
    await ada.titled('Bob');
    await ada.sees('until next year');
    await bob.open('Ada');
    await bob.say('a happy new year');
    await ada.item('Bob').waitFor();
    await ada.sees('until next year', 'a happy new year');
  });
});

test('a chat is deleted by an administrator, after a warning', async () => {
  const [ada, bob] = await Promise.all([on.join('Ada', quiet), on.join('Bob', quiet)]);
  await bob.create('group', 'Secrets', ada);
  await bob.say('what nobody should know');
  await bob.nothingPending();
  await ada.open('Secrets');
  await ada.get('chat-settings').click();
  await ada.get('leave').waitFor();
  expect(await count(ada, 'erase')()).toBe(0);
  await ada.get('close-dialog').click();
  // The first who signed up on this server is an administrator.
  await bob.api('POST', `/chats/${await bob.chatId()}/members`, { user_id: await me(keeper) });
  await keeper.open('Secrets');
  await keeper.get('chat-settings').click();
  await picture(keeper, 'settings-administrator');
  await keeper.get('erase').click();
  await keeper.get('confirm').waitFor();
  await picture(keeper, 'erase');
  await keeper.get('confirm').click();
  await expect.poll(count(ada, 'chat-item'), patience).toBe(0);
  await expect.poll(count(bob, 'chat-item'), patience).toBe(0);
});

test('who comes and goes is told in few lines', async () => {
  const [ada, bob] = await Promise.all([on.join('Ada', quiet), on.join('Bob', quiet)]);
  await ada.create('public', `doors${process.pid}`);
  const id = await ada.chatId();
  await ada.say('before');
  await ada.nothingPending();
  const bobs = await me(bob);
  for (let i = 0; i < 2; i++) {
    await bob.api('POST', `/chats/${id}/join`);
    await bob.api('DELETE', `/chats/${id}/members/${bobs}`);
  }
  const lines = () => ada.get('comings').locator('p').allTextContents();
  await expect.poll(async () => (await lines()).join('|').replaceAll(/[\u2066-\u2069]/g, ''), patience).toBe('Bob joined and left 2 times');
  await ada.say('after');
  await ada.nothingPending();
  await ada.page.reload();
  await ada.sees('before', 'after');
  await expect.poll(async () => (await lines()).join('|').replaceAll(/[\u2066-\u2069]/g, ''), patience).toBe('Bob joined and left 2 times');
  await picture(ada, 'comings');
});

test('namesakes are told apart', async () => {
  const [ada, one, two] = await Promise.all([on.join('Ada', quiet), on.join('José Silva', quiet), on.join('Jose SILVA', quiet)]);
  await one.create('group', 'Tea', ada, two);
  await one.say('I am one');
  await one.message('I am one').waitFor();
  await two.open('Tea');
  await two.say('I am two');
  await ada.open('Tea');
  await ada.sees('I am one', 'I am two');
  const handles = async () => (await ada.get('message').getByTestId('handle').allTextContents()).toSorted();
  await expect.poll(handles, patience).toEqual([`@${one.username}`, `@${two.username}`].toSorted());
  await one.writeTo(ada);
  await one.say('only to you');
  await expect.poll(() => ada.item('José Silva').getByTestId('handle').textContent(), patience).toBe(`@${one.username}`);
  await ada.get('members').click();
  await ada.get('member').nth(2).waitFor();
  await picture(ada, 'namesakes');
});
