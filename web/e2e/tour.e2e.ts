import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { hostile } from '../test/hostile.ts';
import { Person } from './person.ts';
import { patience, stage } from './stage.ts';

/**
 * A team's day: everything that people do here, in one go. Then the page for people who use it in
 * other ways than with a mouse and in English.
 */

const scene = stage();
const { join, talk } = scene;

test('the daily tour', async () => {
  const ada = await Person.signUp(scene.browser, scene.server, 'Ada', { serviceWorkers: 'allow' });
  scene.people.push(ada);
  const [bob, cleo] = await Promise.all([join('Bob'), join('Cleo')]);

  await ada.writeTo(bob);
  await ada.say('good morning');
  await bob.open('Ada');
  await bob.sees('good morning');

  await ada.create('public', 'tea room', bob);
  await cleo.get('browse').click();
  await cleo.get('public-search').fill('tea room');
  await cleo.get('public-chat').filter({ hasText: 'tea room' }).getByTestId('join').click();
  await bob.open('tea room');

  // Complete a mention from the names of the members.
  await ada.get('composer').pressSequentially('@Cl');
  await ada.get('mention-option').first().waitFor();
  await ada.page.keyboard.press('Enter');
  await ada.get('composer').pressSequentially('which **tea**?');
  await ada.page.keyboard.press('Enter');
  const question = `@${cleo.username} which tea?`;
  await Promise.all([bob.sees(question), cleo.sees(question)]);
  expect(await cleo.page.locator('[data-testid="body"] strong').textContent()).toBe('tea');

  await cleo.act(question, 'reply');
  await cleo.say('green, 绿茶');
  await bob.react('green, 绿茶', '👍');
  await cleo.page.locator('[data-testid="reaction"][data-emoji="👍"]').waitFor();
  await cleo.get('composer').press('ArrowUp');
  await cleo.get('edit-box').fill('green tea, 绿茶');
  await cleo.get('edit-box').press('Enter');
  const all = [question, 'green tea, 绿茶'];
  await Promise.all([ada.sees(...all), bob.sees(...all)]);

  await bob.page.keyboard.press('Control+k');
  await bob.get('search-input').fill('绿茶');
  await expect.poll(() => bob.get('search-hit').count(), patience).toBe(1);
  await bob.page.keyboard.press('Enter');

  // The page opens offline too, and what was written before goes out once.
  await ada.page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  await expect.poll(() => ada.kept(), patience).toContain(all[1]);
  ada.cable.cut();
  await ada.offline();
  await ada.say('written in the tunnel');
  await bob.say('meanwhile');
  expect(await ada.pending()).toEqual(['written in the tunnel']);
  await ada.page.reload();
  // What had been seen is shown as of when it was.
  await expect.poll(async () => (await ada.bodies()).filter((body) => all.includes(body)), patience).toEqual(all);
  await expect.poll(() => ada.get('connection').textContent(), patience).toContain('as of');
  ada.cable.mend();
  await ada.page.reload();
  await ada.online();
  for (const person of [ada, bob, cleo]) await person.sees(...all, 'meanwhile', 'written in the tunnel');
  await ada.nothingPending();
  await expect.poll(() => ada.message('green tea, 绿茶').getByTestId('quote').textContent(), patience).toContain('which tea?');
  expect(await ada.message('green tea, 绿茶').getByTestId('edited').count()).toBe(1);
});

test('nothing that anybody writes becomes markup', async () => {
  const [ada, bob] = await talk();
  const id = await ada.chatId();
  await bob.page.evaluate(() => Object.assign(globalThis, { alert: () => Object.assign(globalThis, { alerted: true }) }));
  const together = 10;
  for (let i = 0; i < hostile.length; i += together) {
    const bodies = hostile.slice(i, i + together);
    await Promise.all(bodies.map((body, j) => ada.api('POST', `/chats/${id}/messages`, { body }, { 'Idempotency-Key': `x${i + j}` })));
    await ada.say(`end ${i}`);
    await bob.message(`end ${i}`).waitFor();
    const made = await bob.get('messages').evaluate((el) => [
      ...[...el.querySelectorAll('[data-testid="body"] :is(script, img, svg, iframe, style, math, b, object)')].filter((e) => !e.closest('button')).map((e) => e.outerHTML),
      ...[...el.querySelectorAll<HTMLAnchorElement>('[data-testid="body"] a')].filter((a) => !/^(https?|mailto):/.test(a.href) || !a.rel.includes('noopener')).map((a) => a.outerHTML),
    ]);
    expect(made).toEqual([]);
  }
  expect(await bob.page.evaluate(() => 'alerted' in globalThis)).toBe(false);
});

describe('everyone', () => {
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

  const anywhere = 'html';

  /** What axe finds wrong with a part of the page, by rule, once nothing moves any more. */
  async function violations(person: Person, part = anywhere, only?: string): Promise<string[]> {
    if (await person.page.evaluate(() => !('axe' in globalThis))) await person.page.evaluate(axe);
    await person.page.locator(part).first().waitFor();
    await person.page.evaluate(() => Promise.allSettled(document.getAnimations().filter(({ effect }) => effect?.getTiming().iterations !== Infinity).map(({ finished }) => finished)));
    return person.page.evaluate(async ([where, rule]) => {
      const { axe: checker } = globalThis as unknown as { axe: { run(what: unknown, how: unknown): Promise<{ violations: { id: string; nodes: { html: string; any: { message: string }[] }[] }[] }> } };
      const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
      const found = await checker.run(where, { runOnly: rule ? [rule] : tags, resultTypes: ['violations'] });
      return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html, any }) => `${id}: ${html.slice(0, 120)} ${any[0]?.message ?? ''}`));
    }, [part, only] as const);
  }

  test('axe finds nothing wrong with any part of the page, in light and in dark', async () => {
    const [ada, bob] = await Promise.all([join('Ada', { reducedMotion: 'reduce' }), join('Bob')]);
    await ada.create('public', `general ${ada.username}`, bob);
    await bob.open(`general ${ada.username}`);
    await bob.say(`hello @${ada.username}, **see** https://example.org and \`this\``, '```go\nfunc main() {} // x\n```', '> quoted\n\n- one');
    await ada.message('quoted\none').or(ada.get('body').nth(2)).first().waitFor();
    await ada.react(`hello @${ada.username}, see https://example.org and this`, '👍');
    await ada.say('mine');
    await bob.act('mine', 'reply');
    await bob.say('yours');
    await ada.message('yours').hover();
    // The parts to check, and how to open them.
    const open: [string, string, (() => Promise<void>)?][] = [
      ['the chat', anywhere],
      ['members', 'aside', () => ada.get('members').click()],
      ['chat-settings', 'dialog', () => ada.get('chat-settings').click()],
      ['new-chat', 'dialog', () => ada.get('new-chat').click()],
      ['browse', 'dialog', () => ada.get('browse').click()],
      ['account', 'dialog', () => ada.get('account').click()],
      ['shortcuts', 'dialog', () => ada.get('shortcuts').click()],
      ['open-search', 'dialog', () => ada.get('open-search').click()],
      ['insert-emoji', '[popover]', () => ada.get('insert-emoji').click()],
    ];
    for (const scheme of ['light', 'dark'] as const) {
      await ada.page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      for (const [name, part, show] of open) {
        await show?.();
        // Only the colours differ in the dark.
        expect([scheme, name, ...(await violations(ada, part, scheme === 'dark' ? 'color-contrast' : undefined))]).toEqual([scheme, name]);
        if (name === 'members') await ada.get('members').click();
        else if (show) await ada.page.keyboard.press('Escape');
      }
    }
    // It does find something wrong.
    await ada.get('composer').evaluate((box) => box.removeAttribute('aria-label') ?? box.removeAttribute('placeholder'));
    expect((await violations(ada)).join()).toContain('label');
    await ada.get('log-out').click();
    await ada.get('sign-in').waitFor();
    expect(await violations(ada)).toEqual([]);
  });

  test('on 320 pixels everything fits, in Chinese too', async () => {
    const [ada, bob] = await Promise.all([join('Ada', { viewport: { width: 320, height: 640 }, locale: 'zh-CN' }), join('Bob')]);
    await bob.writeTo(ada);
    await bob.say('x'.repeat(400), '很'.repeat(300), '```\n' + 'wide '.repeat(80) + '\n```', 'مرحبا بالعالم');
    await ada.item('Bob').click();
    await expect.poll(() => ada.get('body').count(), patience).toBe(4);
    const overflow = () => ada.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(await overflow()).toBe(0);
    expect(await ada.get('composer').getAttribute('placeholder')).toBe('发消息给 Bob');
    expect(await ada.page.evaluate(() => document.documentElement.lang)).toBe('zh-CN');
    await ada.get('back').click();
    expect(await overflow()).toBe(0);
    await ada.get('account').click();
    expect(await overflow()).toBe(0);
  });

  test('the title, the icon and the desktop announce unread messages, but not in a muted chat', async () => {
    const [ada, bob] = await Promise.all([join('Ada', { permissions: ['notifications'] }), join('Bob')]);
    await ada.page.addInitScript(() => {
      const told: string[] = [];
      Object.assign(globalThis, { told });
      globalThis.Notification = class {
        static permission = 'granted';
        static requestPermission = async () => 'granted';
        constructor(title: string, { body }: { body: string }) {
          told.push(`${title} | ${body}`);
        }
      } as never;
    });
    await ada.page.reload();
    await ada.online();
    await ada.get('account').click();
    await ada.get('notify').click();
    await ada.get('close-dialog').click();
    const told = () => ada.page.evaluate(() => (globalThis as unknown as { told: string[] }).told);
    await bob.writeTo(ada);
    await bob.say('**look**');
    await expect.poll(told, patience).toEqual(['Bob | Bob: look']);
    await expect.poll(() => ada.page.title(), patience).toBe('(1) Fechatter');
    expect(await ada.page.locator('link[rel="icon"]').getAttribute('href')).toBe('/favicon-unread.svg');
    await ada.item('Bob').click({ button: 'right' });
    await ada.get('mute').click();
    await expect.poll(() => ada.page.title(), patience).toBe('Fechatter');
    await bob.say('again');
    await expect.poll(() => ada.item('Bob').getByTestId('last-message').textContent(), patience).toBe('again');
    expect(await told()).toHaveLength(1);
  });
});
