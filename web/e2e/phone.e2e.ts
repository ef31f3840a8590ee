import { mkdirSync } from 'node:fs';
import type { CDPSession } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { axeFaults } from './axe.ts';
import type { Person } from './person.ts';
import { patience, stage } from './stage.ts';

/** The page under a thumb: sheets, a finger that rests, and one that draws. */

const on = stage();
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, reducedMotion: 'reduce' } as const;
const folder = process.env['PICTURES'];

beforeAll(() => {
  if (folder) mkdirSync(folder, { recursive: true });
});

/** A touch ends in the session in which it began. */
const sessions = new Map<Person, CDPSession>();

/** Touches the screen, as the browser's own input: without a rest, however slow the machine. */
async function finger(person: Person, steps: readonly (readonly [type: 'Start' | 'Move' | 'End', x?: number, y?: number])[]): Promise<void> {
  const session = sessions.get(person) ?? (await person.context.newCDPSession(person.page));
  sessions.set(person, session);
  await Promise.all(
    steps.map(([type, x, y]) => session.send('Input.dispatchTouchEvent', { type: `touch${type}`, touchPoints: x === undefined ? [] : [{ x, y: y! }] })),
  );
}

async function middle(person: Person, text: string): Promise<[number, number]> {
  const box = (await person.message(text).boundingBox())!;
  return [box.x + box.width / 2, box.y + box.height / 2];
}

async function rest(person: Person, text: string): Promise<void> {
  const [x, y] = await middle(person, text);
  await finger(person, [['Start', x, y]]);
  await person.get('sheet').waitFor();
  await finger(person, [['End']]);
}

/** Keeps pictures of a phone by day, by night and with little room, where PICTURES says. */
async function looks({ page }: Person, name: string): Promise<void> {
  if (!folder) return;
  for (const [look, colorScheme, width] of [['light', 'light', 390], ['dark', 'dark', 390], ['small', 'light', 320]] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: width === 320 ? 568 : 844 });
    await page.screenshot({ path: `${folder}/${name}-${look}.png` });
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(phone.viewport);
}

const gone = (person: Person) => expect.poll(() => person.get('sheet').count(), patience).toBe(0);

test('a finger that rests on a message opens a sheet, which goes in every way one expects', async () => {
  const [ada, bob] = await Promise.all([on.join('Ada', phone), on.join('Bob')]);
  await bob.writeTo(ada);
  await bob.say('first of all', 'see https://example.org/far for more', 'are you coming?');
  await ada.item('Bob').click();
  await ada.message('are you coming?').waitFor();

  await rest(ada, 'are you coming?');
  expect(await ada.page.evaluate(() => String(getSelection()))).toBe('');
  expect(await axeFaults(ada.page)).toEqual([]);

  // The focus stays in, however often one moves it.
  for (let i = 0; i < 16; i++) {
    await ada.page.keyboard.press('Tab');
    expect(await ada.page.evaluate(() => (document.activeElement?.closest('dialog') ?? document.activeElement)?.outerHTML.slice(0, 90) ?? '')).toMatch(/^<(dialog|body|html)/);
  }
  await ada.page.keyboard.press('Escape');
  await gone(ada);

  // What is beneath is not pressed along.
  await rest(ada, 'are you coming?');
  await ada.page.touchscreen.tap(40, 30);
  await gone(ada);
  await ada.titled('Bob');

  await rest(ada, 'are you coming?');
  const box = (await ada.get('sheet').boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + 12];
  await finger(ada, [['Start', x, y], ['Move', x, y + 20], ['Move', x, y + 40], ['End']]);
  await expect.poll(() => ada.get('sheet').evaluate((el) => el.style.translate), patience).toBe('');
  await finger(ada, [['Start', x, y], ['Move', x, y + 40], ['Move', x, y + 120], ['End']]);
  await gone(ada);

  await rest(ada, 'are you coming?');
  await ada.page.locator('[data-testid="sheet-emoji"]').first().tap();
  await bob.get('reaction').waitFor();
  await gone(ada);

  if (folder) await rest(ada, 'are you coming?').then(() => looks(ada, 'sheet'));
});

test('a swipe to the left answers, one down scrolls', async () => {
  const [ada, bob] = await Promise.all([on.join('Ada', phone), on.join('Bob')]);
  await bob.writeTo(ada);
  await bob.post(await bob.chatId(), Array.from({ length: 60 }, (_, i) => `line ${i}`));
  await ada.item('Bob').click();
  const list = ada.get('messages');
  await list.getByTestId('message').nth(20).waitFor();
  await list.evaluate((el) => (el.scrollTop = 400));

  const [x, y] = [300, 420] as const;
  const under = (what: 'data-enough' | 'data-drawn') => () => ada.page.locator(`[data-testid="message"][${what}]`).count();
  const draw = async () => {
    await finger(ada, [['Start', x, y], ['Move', x - 20, y], ['Move', x - 70, y + 2]]);
    return under('data-enough')();
  };
  // On a slow machine the finger may have rested by the time it moves: then it begins anew.
  await expect
    .poll(async () => {
      if (await draw()) return 1;
      await finger(ada, [['End']]);
      await ada.page.keyboard.press('Escape');
      return 0;
    }, patience)
    .toBe(1);
  if (folder) await ada.page.screenshot({ path: `${folder}/swipe.png` });
  await finger(ada, [['Move', x - 90, y], ['End']]);
  await ada.get('replying').waitFor();

  const top = () => list.evaluate((el) => el.scrollTop);
  const before = await top();
  await finger(ada, [['Start', x, 300], ['Move', x - 4, 340], ['Move', x - 60, 440], ['Move', x - 90, 560], ['End']]);
  await expect.poll(top, patience).toBeLessThan(before);
  expect(await under('data-drawn')()).toBe(0);
});

test('a status is set, and others see it beside the name, in the list and on the card, with the local time', async () => {
  const [ada, bob] = await Promise.all([on.join('Ada', { ...phone, timezoneId: 'Asia/Tokyo' }), on.join('Bob', { reducedMotion: 'reduce', timezoneId: 'Europe/Berlin' })]);
  await bob.writeTo(ada);
  await bob.say('hello');
  await ada.get('status').click();
  await ada.get('set-status').click();
  await ada.get('status-box').waitFor();
  expect(await axeFaults(ada.page)).toEqual([]);
  await looks(ada, 'status-box');
  await ada.get('status-suggestion').first().click();
  await ada.get('status-save').click();
  await expect.poll(() => ada.get('phase').textContent(), patience).toBe('📅 In a meeting');
  await looks(ada, 'sidebar');

  await expect.poll(() => bob.get('status-emoji').first().textContent(), patience).toBe('📅');
  expect(await bob.get('subtitle').textContent()).toMatch(/📅 In a meeting · Until /);
  await ada.item('Bob').click();
  await ada.say('hi');
  await bob.message('hi').getByTestId('sender').click();
  expect(await bob.get('card-status').textContent()).toMatch(/In a meeting/);
  expect(await bob.get('local-time').textContent()).toMatch(/^(\w{3} )?\d\d:\d\d local time$/);
  expect(await axeFaults(bob.page)).toEqual([]);
  if (folder) await bob.page.screenshot({ path: `${folder}/card.png` });

  await ada.message('hi').getByTestId('sender').tap();
  await ada.get('sheet').waitFor();
  await looks(ada, 'own-card');
});
