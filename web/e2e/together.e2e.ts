import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { launch, Person } from './person.ts';
import { Server } from './server.ts';

/** What people see of one another besides messages: who types, who has got and read what, who is here. */

const patience = { timeout: 15_000, interval: 50 };
let server: Server;
let browser: Browser;
let people: Person[];

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
});

afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

beforeEach(() => {
  people = [];
});

afterEach(async () => {
  const complaints = people.flatMap((person) => person.complaints);
  await Promise.all(people.map((person) => person.dispose()));
  expect(complaints).toEqual([]);
});

async function join(name: string): Promise<Person> {
  const person = await Person.signUp(browser, server, name);
  people.push(person);
  return person;
}

const typing = (person: Person) => () => person.get('typing').textContent();
const ticks = (person: Person, text: string) => () => person.message(text).getByTestId('ticks').getAttribute('data-state');

describe('typing', () => {
  test('is seen by the other in the chat and in the list, and ends when the text is gone', async () => {
    const [ada, bob] = await Promise.all([join('Ada'), join('Bob')]);
    await ada.writeTo(bob);
    await bob.open('Ada');
    const top = () => ada.get('composer').boundingBox().then((box) => box!.y);
    const before = await top();
    await bob.get('composer').pressSequentially('hmm');
    await expect.poll(typing(ada), patience).toBe('Bob is typing…');
    expect(await ada.item('Bob').getByTestId('last-message').textContent()).toBe('typing…');
    expect(await top()).toBe(before);
    await bob.get('composer').fill('');
    await expect.poll(typing(ada), patience).toBe('');
    expect(await ada.item('Bob').getByTestId('last-message').textContent()).toBe('No messages yet');
  });

  test('in a group names two, and more than two are several', async () => {
    const [ada, bob, cleo, mei] = await Promise.all([join('Ada'), join('Bob'), join('Cleo'), join('Mei')]);
    await ada.create('group', 'Tea', bob, cleo, mei);
    await Promise.all([bob, cleo, mei].map((person) => person.open('Tea')));
    // Who pauses for 5 s has stopped, and a slow machine may take that long: they go on.
    const seenWhile = (...writers: Person[]) => async () => {
      for (const writer of writers) await writer.get('composer').press('x');
      return ada.get('typing').textContent();
    };
    await expect.poll(seenWhile(bob), patience).toBe('Bob is typing…');
    await expect.poll(seenWhile(bob, cleo), patience).toBe('Bob and Cleo are typing…');
    await expect.poll(seenWhile(bob, cleo, mei), patience).toBe('Several people are typing…');
    await bob.say('done');
    await ada.sees('done');
  });
});

describe('ticks', () => {
  test('go from sent to delivered when the other is here, and to read when the other looks', async () => {
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

  test('in a group wait for the last, and tell who has seen it', async () => {
    const [ada, bob, cleo] = await Promise.all([join('Ada'), join('Bob'), join('Cleo')]);
    await ada.create('group', 'Tea', bob, cleo);
    await ada.say('who comes?');
    await expect.poll(ticks(ada, 'who comes?'), patience).toBe('delivered');
    await bob.open('Tea');
    await bob.sees('who comes?');
    await ada.message('who comes?').getByTestId('ticks').click();
    await expect.poll(() => ada.get('seen-by').textContent(), patience).toBe('Seen by Bob');
    expect(await ada.get('delivered-to').textContent()).toBe('Delivered to Cleo');
    expect(await ticks(ada, 'who comes?')()).toBe('delivered');
    await cleo.open('Tea');
    await expect.poll(ticks(ada, 'who comes?'), patience).toBe('read');
    await expect.poll(() => ada.get('seen-by').textContent(), patience).toBe('Seen by Bob, Cleo');
    await ada.page.keyboard.press('Escape');
    await expect.poll(() => ada.get('popover').count(), patience).toBe(0);
  });

  test('who is removed is not waited for', async () => {
    const [ada, bob, cleo] = await Promise.all([join('Ada'), join('Bob'), join('Cleo')]);
    await ada.create('group', 'Tea', bob, cleo);
    await ada.say('all here?');
    await bob.open('Tea');
    await bob.sees('all here?');
    await expect.poll(ticks(ada, 'all here?'), patience).toBe('delivered');
    await ada.get('members').click();
    await ada.get('member').filter({ hasText: 'Cleo' }).getByTestId('remove-member').click();
    await expect.poll(ticks(ada, 'all here?'), patience).toBe('read');
  });
});
