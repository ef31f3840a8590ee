import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, test } from 'vitest';
import { launch, Person } from './person.ts';
import { Server } from './server.ts';

/** Pictures of the page for the documents: `npm run screenshots`. */

const folder = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const desk = { viewport: { width: 1180, height: 760 }, deviceScaleFactor: 2 };
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

async function react(person: Person, text: string, emoji: string): Promise<void> {
  await person.act(text, 'react');
  await person.page.locator(`[data-testid="emoji"][data-emoji="${emoji}"]`).click();
  await person.message(text).locator(`[data-testid="reaction"][data-emoji="${emoji}"]`).waitFor();
}

test('the page', async () => {
  const ada = await Person.signUp(browser, server, 'Ada Winter', { ...desk, colorScheme: 'light' });
  const bob = await Person.signUp(browser, server, 'Bob Tanaka', desk);
  const mei = await Person.signUp(browser, server, 'Mei Lin 林美', desk);

  await mei.create('public', 'announcements');
  await mei.say('The kitchen is open again. Thanks to everybody who painted.');
  await ada.get('browse').click();
  await ada.get('public-chat').getByTestId('join').click();
  await ada.get('open-title').getByText('announcements').waitFor();

  await mei.writeTo(ada);
  await mei.say('Lunch at the harbour tomorrow? 🍜', `@${ada.username} they have the dumplings again`);

  await bob.create('group', 'Garden party', ada, mei);
  await ada.open('Garden party');
  await mei.open('Garden party');
  await bob.say('Morning! The garden party is on, rain or shine.');
  await bob.say('Forty chairs are promised, and the neighbours bring the grill.');
  await ada.sees('Morning! The garden party is on, rain or shine.', 'Forty chairs are promised, and the neighbours bring the grill.');
  await react(ada, 'Forty chairs are promised, and the neighbours bring the grill.', '🎉');
  await react(mei, 'Forty chairs are promised, and the neighbours bring the grill.', '🎉');
  await react(mei, 'Forty chairs are promised, and the neighbours bring the grill.', '👍');
  await ada.say('And the music?');
  await bob.message('And the music?').waitFor();
  await bob.act('And the music?', 'reply');
  await bob.say('Cleo plays from six. I asked her twice, to be sure.');
  await mei.say('太好了！I will write the invitations, then.');
  await mei.message('太好了！I will write the invitations, then.').waitFor();
  await ada.say(`@${bob.username} shall we shop on Thursday?`);
  await bob.message(`@${bob.username} shall we shop on Thursday?`).waitFor();
  await react(bob, `@${bob.username} shall we shop on Thursday?`, '👍');
  await ada.page.locator('[data-testid="reaction"][data-emoji="👍"]').nth(1).waitFor();
  await ada.page.mouse.move(600, 20);

  await mei.get('status').click();
  await mei.get('set-away').click();
  await ada.get('presence').and(ada.page.locator('[data-state="away"]')).first().waitFor();
  await ada.get('ticks').and(ada.page.locator('[data-state="read"]')).nth(1).waitFor();
  await bob.get('composer').pressSequentially('Yes');
  await ada.get('typing').getByText('Bob Tanaka is typing…').waitFor();

  await ada.get('composer').blur();
  await ada.page.screenshot({ path: `${folder}page.png` });
  await ada.page.emulateMedia({ colorScheme: 'dark' });
  await ada.get('members').click();
  await ada.get('member').nth(2).waitFor();
  await ada.page.screenshot({ path: `${folder}page-dark.png` });
  await ada.page.setViewportSize({ width: 390, height: 760 });
  await ada.get('members').click();
  await ada.page.screenshot({ path: `${folder}page-phone.png` });
  await Promise.all([ada, bob, mei].map((person) => person.dispose()));
});
