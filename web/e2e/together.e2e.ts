import { describe, expect, test } from 'vitest';
import type { Person } from './person.ts';
import { patience, stage } from './stage.ts';

/**
 * What people see of each other besides messages: who is typing, who has received and read what,
 * who is here.
 */

const { join } = stage();
const typing = (person: Person) => () => person.get('typing').textContent();
const preview = (person: Person, title: string) => () => person.item(title).getByTestId('last-message').textContent();
const ticks = (person: Person, text: string) => () => person.message(text).getByTestId('ticks').getAttribute('data-state');

/** What is seen while people keep typing. A pause of 5 s would count as having stopped. */
const seenWhile = (look: () => Promise<string | null>, ...writers: Person[]) => async () => {
  await Promise.all(writers.map((writer) => writer.get('composer').press('x')));
  return look();
};

describe('typing', () => {
  test('shows in the chat and in the list, and ends when the text is gone', async () => {
    const [ada, bob] = await Promise.all([join('Ada'), join('Bob')]);
    await ada.writeTo(bob);
    await bob.open('Ada');
    const top = () => ada.get('composer').boundingBox().then((box) => box!.y);
    const before = await top();
    await expect.poll(seenWhile(typing(ada), bob), patience).toBe('Bob is typing…');
    await expect.poll(seenWhile(preview(ada, 'Bob'), bob), patience).toBe('typing…');
    expect(await top()).toBe(before);
    await bob.get('composer').fill('');
    await expect.poll(typing(ada), patience).toBe('');
    await expect.poll(preview(ada, 'Bob'), patience).toBe('No messages yet');
  });

  test('in a group names two people, and calls more than two several', async () => {
    const [ada, bob, cleo, mei] = await Promise.all([join('Ada'), join('Bob'), join('Cleo'), join('Mei')]);
    await ada.create('group', 'Tea', bob, cleo, mei);
    await Promise.all([bob, cleo, mei].map((person) => person.open('Tea')));
    await expect.poll(seenWhile(typing(ada), bob), patience).toBe('Bob is typing…');
    await expect.poll(seenWhile(typing(ada), bob, cleo), patience).toBe('Bob and Cleo are typing…');
    await expect.poll(seenWhile(typing(ada), bob, cleo, mei), patience).toBe('Several people are typing…');
    await bob.say('done');
    await ada.sees('done');
  });
});

describe('ticks', () => {
  test('go from sent to delivered when the other is here, and to read when they look', async () => {
    const [ada, bob] = await Promise.all([join('Ada'), join('Bob')]);
    const cable = bob.cable;
    await ada.writeTo(bob);
    cable.cut();
    await bob.offline();
    await ada.say('hello');
    await expect.poll(ticks(ada, 'hello'), patience).toBe('sent');
    cable.mend();
    await expect.poll(ticks(ada, 'hello'), patience).toBe('delivered');
    expect(await ada.get('seen').count()).toBe(0);
    await bob.open('Ada');
    await expect.poll(ticks(ada, 'hello'), patience).toBe('read');
    await expect.poll(() => ada.get('seen').textContent(), patience).toBe('Seen');
  });

  test('in a group wait for everyone, and list who has seen the message', async () => {
    const [ada, bob, cleo] = await Promise.all([join('Ada'), join('Bob'), join('Cleo')]);
    await ada.create('group', 'Tea', bob, cleo);
    await ada.say('who comes?');
    await expect.poll(ticks(ada, 'who comes?'), patience).toBe('delivered');
    await bob.open('Tea');
    await bob.sees('who comes?');
    await ada.message('who comes?').getByTestId('ticks').click();
    await expect.poll(() => ada.get('seen-by').textContent(), patience).toBe('Seen by Bob');
    await expect.poll(() => ada.get('delivered-to').textContent(), patience).toBe('Delivered to Cleo');
    expect(await ticks(ada, 'who comes?')()).toBe('delivered');
    await cleo.open('Tea');
    await expect.poll(ticks(ada, 'who comes?'), patience).toBe('read');
    await expect.poll(() => ada.get('seen-by').textContent(), patience).toBe('Seen by Bob, Cleo');
    await ada.message('who comes?').getByTestId('ticks').click();
    await expect.poll(() => ada.get('popover').count(), patience).toBe(0);
    await ada.message('who comes?').getByTestId('ticks').click();
    await ada.get('popover').waitFor();
    await ada.page.keyboard.press('Escape');
    await expect.poll(() => ada.get('popover').count(), patience).toBe(0);
  });

  test('do not wait for a removed member', async () => {
    const [ada, bob, cleo] = await Promise.all([join('Ada'), join('Bob'), join('Cleo')]);
    await ada.create('group', 'Tea', bob, cleo);
    await ada.say('all here?');
    await bob.open('Tea');
    await bob.sees('all here?');
    await expect.poll(ticks(ada, 'all here?'), patience).toBe('delivered');
    await ada.get('members').click();
    await ada.get('member').filter({ hasText: 'Cleo' }).getByTestId('remove-member').click();
    await ada.get('confirm').click();
    await expect.poll(ticks(ada, 'all here?'), patience).toBe('read');
  });
});

describe('presence', () => {
  /** A person's presence in another's list of chats. */
  const dot = (person: Person, title: string) => () => person.item(title).getByTestId('presence').getAttribute('data-state', { timeout: 500 }).catch(() => null);
  const own = (person: Person) => () => person.get('status').getAttribute('data-state');

  async function choose(person: Person, state: string): Promise<void> {
    await person.get('status').click();
    await person.get(`set-${state}`).click();
  }

  test('is offline shortly after the browser closes', async () => {
    const [ada, bob] = await Promise.all([join('Ada'), join('Bob')]);
    await ada.writeTo(bob);
    await expect.poll(dot(ada, 'Bob'), patience).toBe('online');
    await expect.poll(() => ada.get('subtitle').textContent(), patience).toBe(`@${bob.username} · Online`);
    await bob.context.close();
    await expect.poll(dot(ada, 'Bob'), patience).toBe('offline');
    await expect.poll(() => ada.get('subtitle').textContent(), patience).toBe(`@${bob.username} · Offline`);
  });

  test('is as chosen, on all devices, and invisible looks offline to others', async () => {
    const [ada, bob] = await Promise.all([join('Ada'), join('Bob')]);
    await ada.writeTo(bob);
    const second = await bob.window();
    for (const [state, seen] of [['away', 'away'], ['invisible', 'offline'], ['online', 'online']] as const) {
      await choose(bob, state);
      await expect.poll(own(bob), patience).toBe(state);
      await expect.poll(() => second.getByTestId('status').getAttribute('data-state'), patience).toBe(state);
      await expect.poll(dot(ada, 'Bob'), patience).toBe(seen);
    }
    await choose(bob, 'dnd');
    await expect.poll(own(bob), patience).toBe('dnd');
    await bob.page.reload();
    await bob.online();
    await expect.poll(own(bob), patience).toBe('dnd');
  });

  test('is known again after a lost connection, for members too', async () => {
    const [ada, bob] = await Promise.all([join('Ada'), join('Bob')]);
    await ada.create('group', 'Tea', bob);
    await ada.get('members').click();
    const line = ada.get('member').filter({ hasText: 'Bob' }).getByTestId('presence');
    const seen = () => line.getAttribute('data-state', { timeout: 500 }).catch(() => null);
    await expect.poll(seen, patience).toBe('online');
    ada.cable.cut();
    await ada.offline();
    await expect.poll(() => line.count(), patience).toBe(0);
    await choose(bob, 'dnd');
    ada.cable.mend();
    await ada.online();
    await expect.poll(seen, patience).toBe('dnd');
  });

  test('typing and reading stay hidden while invisible', async () => {
    const [ada, bob] = await Promise.all([join('Ada'), join('Bob')]);
    await ada.writeTo(bob);
    await bob.open('Ada');
    await choose(bob, 'invisible');
    await expect.poll(dot(ada, 'Bob'), patience).toBe('offline');
    await ada.say('are you there?');
    await bob.sees('are you there?');
    await bob.get('composer').pressSequentially('not for you');
    await bob.hasReadAll();
    await choose(bob, 'online');
    await expect.poll(dot(ada, 'Bob'), patience).toBe('online');
    expect([await typing(ada)(), await ticks(ada, 'are you there?')()]).toEqual(['', 'sent']);
  });
});
