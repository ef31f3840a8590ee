import { describe, expect, test } from 'vitest';
import { axeFaults } from './axe.ts';
import { png, wav } from './images.ts';
import type { Person } from './person.ts';
import { pictures } from './pictures.ts';
import { patience, stage } from './stage.ts';

/** Files, from one browser to another. */

const scene = stage();
const { talk } = scene;
const sky = png(800, 600, [70, 130, 190]);
const field = png(400, 640, [90, 150, 70]);
const sand = png(640, 480, [200, 170, 120]);

interface Given {
  name: string;
  mimeType: string;
  buffer: Buffer;
}
const picture = (name: string, buffer: Buffer): Given => ({ name, mimeType: 'image/png', buffer });

/** Pastes or drops files, as the browser would. */
async function give(person: Person, how: 'paste' | 'drop', ...files: Given[]): Promise<void> {
  const given = files.map(({ name, mimeType, buffer }) => ({ name, mimeType, bytes: buffer.toString('base64') }));
  await person.page.evaluate(
    ([kind, list]) => {
      const data = new DataTransfer();
      for (const { name, mimeType, bytes } of list) data.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name, { type: mimeType }));
      const init = { bubbles: true, cancelable: true };
      const event = kind === 'paste' ? new ClipboardEvent('paste', { ...init, clipboardData: data }) : new DragEvent('drop', { ...init, dataTransfer: data });
      document.getElementById('composer')!.dispatchEvent(event);
    },
    [how, given] as const,
  );
}

const states = (person: Person) => person.get('transfer').evaluateAll((all) => all.map((el) => (el as HTMLElement).dataset['state']));
const drawn = (person: Person) => person.page.locator('[data-testid="picture"] img').evaluateAll((all) => all.map((img) => (img as HTMLImageElement).complete && (img as HTMLImageElement).naturalWidth > 0));

describe('a picture', () => {
  test('that is pasted in one browser is seen in another, with its caption', async () => {
    const [ada, bob] = await talk();
    await give(ada, 'paste', picture('sky.png', sky));
    await ada.get('transfer').waitFor();
    await pictures(ada.page, 'files-tray');
    await ada.say('the sky today');
    await bob.sees('the sky today');
    await expect.poll(() => drawn(bob), patience).toEqual([true]);
    // The room for it was known before it came.
    const [width, height] = await bob.get('picture').locator('img').evaluate((img) => [img.getAttribute('width'), img.getAttribute('height')].map(Number));
    expect(width! / height!).toBeCloseTo(800 / 600, 1);
    await ada.nothingPending();
    await expect.poll(() => ada.get('pending').count(), patience).toBe(0);
    await pictures(bob.page, 'files-picture');
  });

  test('needs no words, and is named where it is not shown', async () => {
    const [ada, bob] = await talk();
    await give(ada, 'drop', picture('field.png', field));
    await ada.get('transfer').waitFor();
    await ada.get('send').click();
    await expect.poll(() => drawn(bob), patience).toEqual([true]);
    await expect.poll(() => ada.item('Bob').getByTestId('last-message').textContent(), patience).toContain('Photo');
    await bob.get('message').last().hover();
    await bob.get('message').last().getByTestId('reply').click();
    await expect.poll(() => bob.get('replying').textContent(), patience).toContain('Photo');
    await bob.say('lovely');
    await expect.poll(() => ada.get('quote').textContent(), patience).toContain('Photo');
  });
});

test('several at once stand in a grid, and the viewer goes through them by keys', async () => {
  const [ada, bob] = await talk();
  await give(ada, 'paste', picture('sky.png', sky), picture('field.png', field), picture('sand.png', sand));
  await expect.poll(() => states(ada), patience).toEqual(['done', 'done', 'done']);
  await ada.get('send').click();
  await expect.poll(() => drawn(bob), patience).toEqual([true, true, true]);
  await expect.poll(() => bob.item('Ada').getByTestId('last-message').textContent(), patience).toContain('3 photos');
  expect(await axeFaults(bob.page)).toEqual([]);
  await pictures(bob.page, 'files-grid');

  await bob.get('picture').first().focus();
  await bob.page.keyboard.press('Enter');
  await bob.get('viewed').waitFor();
  const at = () => bob.get('lightbox-at').textContent();
  expect(await at()).toBe('1 of 3');
  await bob.page.keyboard.press('ArrowRight');
  expect(await at()).toBe('2 of 3');
  await bob.page.keyboard.press('End');
  await bob.page.keyboard.press('ArrowRight');
  expect([await at(), await bob.get('next-picture').isDisabled()]).toEqual(['3 of 3', true]);
  await bob.page.keyboard.press('+');
  expect(await bob.get('viewed').getAttribute('data-scale')).toBe('1.50');
  await bob.page.keyboard.press('0');
  expect(await bob.get('viewed').getAttribute('data-scale')).toBe('1.00');
  expect(await axeFaults(bob.page)).toEqual([]);
  await pictures(bob.page, 'files-viewer');
  await bob.page.keyboard.press('Escape');
  await expect.poll(() => bob.get('lightbox').count(), patience).toBe(0);
  expect(await bob.get('picture').first().evaluate((el) => el === document.activeElement)).toBe(true);
});

test('other files are cards that can be kept, and sound plays', async () => {
  const [ada, bob] = await talk();
  const report = { name: 'report "2026" 年.html', mimeType: 'text/html', buffer: Buffer.from('<script>document.title = "run"</script>') };
  await ada.get('file-input').setInputFiles([report, { name: 'tone.wav', mimeType: 'audio/wav', buffer: wav() }]);
  await expect.poll(() => states(ada), patience).toEqual(['done', 'done']);
  await ada.say('as agreed');
  await bob.get('file-card').waitFor();
  expect(await bob.get('file-card').textContent()).toContain(report.name);
  const link = bob.get('download');
  expect(await link.getAttribute('download')).toBe(report.name);
  // Whatever it says that it is, nobody's browser runs it.
  const [type, bytes] = await link.evaluate(async (a) => {
    const answer = await fetch((a as HTMLAnchorElement).href);
    return [answer.headers.get('Content-Type'), await answer.text()];
  });
  expect([type, bytes]).toEqual(['application/octet-stream', report.buffer.toString()]);
  const length = () => bob.get('audio').evaluate((audio) => (audio as HTMLAudioElement).duration);
  await expect.poll(length, patience).toBeCloseTo(1, 1);
  expect(await axeFaults(bob.page)).toEqual([]);
  await pictures(bob.page, 'files-cards');

  await bob.get('chat-menu').click();
  await bob.get('show-files').click();
  await expect.poll(() => bob.get('chat-file').count(), patience).toBe(2);
  await bob.get('files-audio').click();
  await expect.poll(() => bob.get('chat-file').count(), patience).toBe(1);
  await bob.get('files-all').click();
  await expect.poll(() => bob.get('chat-file').count(), patience).toBe(2);
  expect(await axeFaults(bob.page)).toEqual([]);
  await pictures(bob.page, 'files-pane');
});

test('a message waits for its files over a cut line and a reload, and text does not wait for it', async () => {
  const [ada, bob] = await talk();
  ada.cable.cut();
  await ada.offline();
  await give(ada, 'paste', picture('sky.png', sky));
  await ada.say('from the tunnel');
  expect(await ada.pending()).toEqual(['from the tunnel']);
  await pictures(ada.page, 'files-waiting');
  ada.cable.mend();
  await ada.page.reload();
  await bob.sees('from the tunnel');
  await expect.poll(() => drawn(bob), patience).toEqual([true]);
  await ada.nothingPending();
});

test('60 MB go on from where they were, over a cut line and a restarted server', async () => {
  const [ada, bob] = await talk();
  const devtools = await ada.context.newCDPSession(ada.page);
  const speed = (uploadThroughput: number) => devtools.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
  await devtools.send('Network.enable');
  await speed(10 << 20);
  const asked: string[] = [];
  ada.page.on('request', (request) => request.url().includes('/uploads') && asked.push(request.method()));
  const sum = await ada.page.evaluate(async () => {
    const bytes = new Uint8Array(60 << 20);
    for (let i = 0; i < bytes.length; i++) bytes[i] = Math.imul(i, 2_654_435_761) >>> 24;
    const event = Object.assign(new Event('paste', { bubbles: true, cancelable: true }), {
      clipboardData: { types: ['Files'], items: [{ kind: 'file', getAsFile: () => new File([bytes], 'large.bin') }], getData: () => '' },
    });
    document.getElementById('composer')!.dispatchEvent(event);
    return [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].join();
  });
  const sent = () => ada.get('transfer').locator('progress').evaluate((bar) => (bar as HTMLProgressElement).value / 2 ** 20);
  await expect.poll(sent, patience).toBeGreaterThan(2);
  await ada.say('large');
  ada.cable.cut();
  await ada.offline();
  const before = await sent();
  expect(before).toBeLessThan(60);
  await scene.server.kill();
  await scene.server.up();
  ada.cable.mend();
  await speed(-1);
  await bob.get('file-card').waitFor();
  expect(asked.filter((method) => method === 'POST')).toHaveLength(1);
  expect(asked).toContain('HEAD');
  const got = await bob.get('download').evaluate(async (a) => {
    const bytes = await (await fetch((a as HTMLAnchorElement).href)).arrayBuffer();
    return [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))].join();
  });
  expect(got).toBe(sum);
});

test('one that is taken back is not sent, and one that is too large is refused in words', async () => {
  const [ada, bob] = await talk();
  await give(ada, 'paste', picture('sky.png', sky), picture('sand.png', sand));
  await ada.get('transfer').nth(1).waitFor();
  await ada.get('transfer-remove').first().click();
  await expect.poll(() => ada.get('transfer').count(), patience).toBe(1);
  await ada.page.evaluate(() => {
    const huge = new File([], 'huge.iso');
    Object.defineProperty(huge, 'size', { value: 2 ** 40 });
    const list = [{ kind: 'file', getAsFile: () => huge }];
    document.getElementById('composer')!.dispatchEvent(Object.assign(new Event('paste', { bubbles: true, cancelable: true }), { clipboardData: { types: ['Files'], items: list, getData: () => '' } }));
  });
  await expect.poll(() => ada.get('toast').allTextContents(), patience).toEqual([expect.stringContaining('huge.iso is larger than 100')]);
  await pictures(ada.page, 'files-too-large');
  await ada.say('only sand');
  await bob.sees('only sand');
  expect(await bob.get('picture').evaluateAll((all) => all.map((el) => (el as HTMLElement).title))).toEqual(['sand.png']);
});
