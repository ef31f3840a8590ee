import { expect, test } from 'vitest';
import { lengthen, readAll } from './lengthen.ts';
import { patience, stage } from './stage.ts';

/** A chat of a hundred thousand messages is no heavier than one of a hundred. */

const { talk } = stage();
const messages = 100_000;
const mostRows = 150;

test('scrolling through a hundred thousand messages draws few of them at a time', async () => {
  const [ada, bob] = await talk();
  const id = await bob.chatId();
  const me = await ada.api<{ id: string }>('GET', '/me');
  await lengthen(bob, id, me.id, messages);
  await bob.page.reload();
  await bob.online();
  const list = bob.get('messages');
  await expect.poll(async () => (await bob.bodies()).at(-1), patience).toBe(`line ${messages}`);

  // Load them all, a page at a time, as by turning the wheel.
  await readAll(bob);
  await expect.poll(async () => (await bob.bodies())[0], patience).toBe('line 1');
  expect(await bob.get('message').count()).toBeLessThan(mostRows);

  // In the middle, every frame shows something and draws little.
  const drawn = await list.evaluate(async (el) => {
    const counts: number[] = [];
    for (let i = 0; i < 60; i++) {
      el.scrollTop += 900;
      await new Promise(requestAnimationFrame);
      counts.push(el.querySelectorAll('[data-message]').length);
    }
    return [Math.min(...counts), Math.max(...counts)];
  });
  expect(drawn[0]).toBeGreaterThan(5);
  expect(drawn[1]).toBeLessThan(mostRows);

  await bob.get('to-latest').click();
  await expect.poll(async () => (await bob.bodies()).at(-1), patience).toBe(`line ${messages}`);
});
