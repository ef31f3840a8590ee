import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, test } from 'vitest';
import { launch, Person } from './person.ts';
import { Server } from './server.ts';

/** Pictures of the page for the documentation: `make screenshots`. */

const folder = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const desk = { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1.5 };
let server: Server;
let browser: Browser;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  [server, browser] = await Promise.all([Server.start(), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

const join = (name: string, options = {}) => Person.join(browser, server, name, { ...desk, ...options });
const picture = (person: Person, name: string) => person.page.screenshot({ path: `${folder}${name}.png` });

/** The other chats of a team, to fill the sidebar. */
async function team(ada: Person, bob: Person, mei: Person): Promise<void> {
  for (const [person, name, body] of [
    [mei, 'announcements', 'The kitchen is open again. Thanks to everybody who painted.'],
    [bob, 'design', 'New icons are in the folder 🎨'],
    [mei, 'random', 'Who left the umbrella? ☂️'],
  ] as const) {
    await person.create('public', name, ada);
    await person.say(body);
    await person.nothingPending();
  }
  await ada.open('design');
  await mei.writeTo(ada);
  await mei.say('Lunch at the harbour tomorrow? 🍜', `@${ada.username} they have the dumplings again`);
  await bob.writeTo(ada);
  await bob.say('The invoice is paid.');
  await ada.open('Bob Tanaka');
  await bob.create('group', 'Garden party', ada, mei);
  await bob.say('Forty chairs are promised, and the neighbours bring the grill.');
}

/** The conversation in the channel that the pictures show. */
async function talk(ada: Person, bob: Person, mei: Person): Promise<void> {
  const plan = '**Release 1.4** goes out on Thursday. What is left:\n\n- [x] search in Chinese\n- [x] dark theme\n- [ ] release notes, see https://example.org/notes';
  await bob.say('Morning! ☀️', plan);
  await ada.message('Morning! ☀️').waitFor();
  const done = ada.get('message').filter({ hasText: 'Release 1.4' });
  await done.hover();
  await done.getByTestId('quick').first().click();
  await done.locator('[data-testid="reaction"]').waitFor();
  await mei.say('太好了！搜索快多了 🎉');
  await ada.message('太好了！搜索快多了 🎉').waitFor();
  await ada.react('太好了！搜索快多了 🎉', '🎉');
  await ada.say('The retry was off by one. Now it waits with full jitter:\n\n```go\nfunc delay(attempt int) time.Duration {\n\tceiling := min(limit, base<<attempt) // doubled, up to the limit\n\treturn rand.N(ceiling)\n}\n```');
  await bob.get('body').filter({ hasText: 'off by one' }).waitFor();
  const code = bob.get('message').filter({ hasText: 'off by one' });
  await code.hover();
  await code.getByTestId('reply').click();
  await bob.say('Much better. I ran it a hundred times, all green.');
  await mei.say(`@${ada.username} shall we write the notes together? \`docs/notes.md\` is half done.`);
  await ada.say('Yes, after lunch 👍');
  await mei.message('Yes, after lunch 👍').waitFor();
}

test('the page', async () => {
  const [ada, bob, mei] = [await join('Ada Winter', { colorScheme: 'light' }), await join('Bob Tanaka'), await join('Mei Lin 林美')];
  await bob.create('public', 'general', ada, mei);
  await team(ada, bob, mei);
  await Promise.all([ada, bob, mei].map((person) => person.open('general')));
  await talk(ada, bob, mei);

  await mei.get('status').click();
  await mei.get('set-away').click();
  await ada.get('presence').and(ada.page.locator('[data-state="away"]')).first().waitFor();
  await bob.get('composer').pressSequentially('See you');
  await ada.get('typing').getByText('Bob Tanaka is typing…').waitFor();
  await ada.page.mouse.move(700, 20);
  await ada.get('composer').blur();
  await picture(ada, 'page');

  await ada.page.keyboard.press('Control+k');
  await ada.get('search-input').fill('搜索');
  await ada.get('search-hit').first().waitFor();
  await picture(ada, 'page-search');
  await ada.page.keyboard.press('Escape');

  await ada.page.emulateMedia({ colorScheme: 'dark' });
  await ada.get('members').click();
  await ada.get('member').nth(2).waitFor();
  await picture(ada, 'page-dark');
  await ada.get('members').click();

  await ada.get('account').click();
  await ada.get('language').selectOption('zh');
  await ada.get('theme').selectOption('light');
  await ada.get('close-dialog').click();
  await ada.get('insert-emoji').click();
  await ada.get('emoji-found').first().waitFor();
  await picture(ada, 'page-chinese');
  await ada.page.keyboard.press('Escape');

  await ada.get('account').click();
  await ada.get('language').selectOption('en');
  await ada.get('close-dialog').click();
  await ada.page.setViewportSize({ width: 390, height: 760 });
  await picture(ada, 'page-phone');
  await Promise.all([ada, bob, mei].map((person) => person.dispose()));
});
