import { expect, test } from 'vitest';
import { Contrast } from './contrast.ts';
import { stage } from './stage.ts';

/** Whatever can be pressed can be read, at rest and under a hand, by day and by night. */

const on = stage();
const quiet = { reducedMotion: 'reduce' } as const;

test('every control can be read in every state, in both themes', async () => {
  const [ada, bob, eve] = await Promise.all([on.join('Ada', quiet), on.join('Bob', quiet), on.stranger('Eve', quiet)]);
  const { page, get } = ada;
  const contrast = await Contrast.of(page);
  const judge = (screen: string) => contrast.judge(screen);
  const close = () => page.keyboard.press('Escape');

  await get('no-chat').waitFor();
  await judge('nothing chosen');
  await ada.create('public', 'general', bob);
  await ada.say('hello **bob**, see https://a.example/b', '```js\nlet a = 1;\n```');
  await bob.item('general').click();
  await bob.act('hello bob, see https://a.example/b', 'reply');
  await bob.say('an answer');
  await bob.react('an answer', '👍');
  await ada.page.getByTestId('reaction').waitFor();
  await ada.message('an answer').hover();
  await judge('a chat');
  await ada.act('an answer', 'more');
  await judge('a menu');
  await close();
  await ada.act('an answer', 'react');
  await judge('emoji');
  await close();
  await get('composer').press('ArrowUp');
  await get('save-edit').waitFor();
  await judge('an edit');
  await close();
  await get('members').click();
  await get('add-people').click();
  await judge('members');
  await get('members').click();

  for (const [name, opener] of [['settings', 'chat-settings'], ['a new chat', 'new-chat'], ['browse', 'browse'], ['preferences', 'account'], ['shortcuts', 'shortcuts']] as const) {
    await get(opener).click();
    await get('close-dialog').waitFor();
    await judge(name);
    await close();
  }
  await page.keyboard.press('Control+k');
  await page.keyboard.type('general');
  await judge('search');
  await close();
  await get('composer').fill('half');
  await get('log-out').click();
  await get('confirm').waitFor();
  await judge('a question');
  await get('confirm-no').click();

  await eve.writeTo(ada);
  await ada.open('Eve');
  await get('accept').waitFor();
  await judge('a request');
  await get('chat-menu').click();
  await judge('the menu of a request');
  await close();
  await ada.open('general');
  await ada.api('PUT', `/me/blocks/${(await bob.api<{ id: string }>('GET', '/me')).id}`);
  await get('blocked-message').first().waitFor();
  await judge('what a blocked person said');
  await get('chat-menu').click();
  await judge('the menu of a chat');
  await close();

  ada.cable.cut();
  await ada.offline();
  await judge('offline');
  ada.cable.mend();
  await ada.online();
  await get('log-out').click();
  await get('confirm').click();
  await get('turn').waitFor();
  await judge('log in');

  expect([...contrast.faults]).toEqual([]);
  for (const kind of ['button primary', 'button danger', 'dangerous', 'icon-button', 'link', 'item', 'send']) expect([...contrast.judged].join('\n')).toContain(kind);
});
