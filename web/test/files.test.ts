// @vitest-environment jsdom
import { flushSync, mount, unmount } from 'svelte';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { foldMessage } from '../src/client/message';
import App from '../src/page/App.svelte';
import '../src/page/files';
import { fitted, kindOf, lengthText, playerOf, sizeText, thumbUrl } from '../src/page/files/kinds';
import { moved, whole, zoomed } from '../src/page/files/zoom';
import { en } from '../src/page/i18n/en';
import { zh } from '../src/page/i18n/zh';
import { Page } from '../src/page/state/page.svelte';
import { FakeServer, install, pass, uninstall } from './fake';
import { installLayout } from './layout';
import { deleted, file, message } from './make';

describe('a file', () => {
  test.each([
    ['image/png', 'image'],
    ['image/svg+xml', 'card'],
    ['text/html', 'card'],
    ['video/webm', 'video'],
    ['audio/mpeg', 'audio'],
    ['application/octet-stream', 'card'],
  ])('of %s is shown as %s', (media_type, player) => {
    expect(playerOf({ media_type })).toBe(player);
  });

  test.each([
    ['a.PDF', 'application/octet-stream', 'pdf'],
    ['a.tar.gz', 'application/octet-stream', 'archive'],
    ['notes.md', 'application/octet-stream', 'text'],
    ['drawing.svg', 'application/octet-stream', 'image'],
    ['a.png.exe', 'application/octet-stream', 'other'],
    ['no ending', 'audio/ogg', 'audio'],
  ] as const)('%s of %s has the sign of %s', (name, media_type, kind) => {
    expect(kindOf({ name, media_type })).toBe(kind);
  });

  test('has a size in words', () => {
    expect([0, 1, 999, 1024, 1536, 100 << 20, 5 * 2 ** 30].map((bytes) => sizeText(bytes, 'en'))).toEqual(['0 bytes', '1 byte', '999 bytes', '1 kB', '1.5 kB', '100 MB', '5 GB']);
    expect(sizeText(100 << 20, 'zh-CN')).toBe('100 MB');
  });

  test('has a length', () => {
    expect([0, 61_000, 3_600_000].map(lengthText)).toEqual(['0:00', '1:01', '1:00:00']);
  });

  test('has the room of its picture kept, which is never enlarged', () => {
    const bounds = { width: 400, height: 300 };
    expect(fitted({ width: 4000, height: 1000 }, bounds)).toEqual({ width: 400, height: 100 });
    expect(fitted({ width: 100, height: 80 }, bounds)).toEqual({ width: 100, height: 80 });
    expect(fitted({ width: 20_000, height: 20 }, bounds)).toEqual({ width: 400, height: 44 });
    expect(fitted({ width: 0, height: 80 }, bounds)).toBeUndefined();
  });

  test('without small pictures is shown itself', () => {
    expect(thumbUrl(file({ id: 'a/b' }), 480)).toBe('/api/v1/files/a%2Fb/thumb?size=480');
    expect(thumbUrl(file({ thumb: false }), 480)).toBe('/api/v1/files/f1/content');
  });

  test('is named by its kind where it is not shown', () => {
    const pdf = file({ name: 'plan.pdf', media_type: 'application/pdf' });
    const names = (...files: ReturnType<typeof file>[]) => [en.message.attached(files), zh.message.attached(files)];
    expect(names(file())).toEqual(['Photo', '图片']);
    expect(names(file(), file())).toEqual(['2 photos', '2 张图片']);
    expect(names(pdf)).toEqual(['plan.pdf', 'plan.pdf']);
    expect(names(pdf, file(), pdf)).toEqual(['3 files', '3 个文件']);
    expect(names(file({ media_type: 'audio/ogg' }))).toEqual(['Sound', '音频']);
  });

  test('goes with its message when that is deleted', () => {
    expect(foldMessage(message(1, { attachments: [file()] }), deleted(2, 1, 2), 'me').attachments).toBeUndefined();
  });
});

describe('a picture under fingers', () => {
  test('is enlarged about the point that is touched, within bounds', () => {
    const twice = zoomed(whole, 2, { x: 100, y: 0 });
    expect(twice).toEqual({ scale: 2, x: -100, y: 0 });
    expect(zoomed(twice, 0.1, { x: 5, y: 5 })).toEqual(whole);
    expect(zoomed(whole, 1000, { x: 0, y: 0 }).scale).toBe(8);
  });

  test('is moved, but not out of sight', () => {
    expect(moved({ scale: 2, x: 0, y: 0 }, { x: 900, y: -30 }, { width: 400, height: 300 })).toEqual({ scale: 2, x: 200, y: -30 });
    expect(moved(whole, { x: 9, y: 9 }, { width: 400, height: 300 })).toEqual(whole);
  });
});

describe('on the page', () => {
  const uuid = '0199a0c0-0000-7000-8000-000000000001';
  const user = { id: 'me', username: 'me', display_name: 'Mia', created_at: '2026-01-01T00:00:00.000Z' };
  const all = (name: string) => [...document.querySelectorAll<HTMLElement>(`[data-testid="${name}"]`)];
  const texts = (name: string) => all(name).map((el) => el.textContent!.replace(/\s+/g, ' ').trim());
  let server: FakeServer;
  let app: ReturnType<typeof mount>;

  async function draw(ms = 300): Promise<void> {
    await pass(ms);
    flushSync();
  }

  beforeEach(async () => {
    server = new FakeServer();
    server.chat(uuid);
    server.limits = { ...server.limits, file_bytes: 1000, attachments: 2 };
    install(server);
    installLayout();
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => (url.endsWith('/me') ? Response.json(user) : server.fetch(url, init)));
    localStorage.clear();
    history.replaceState(null, '', `/chats/${uuid}`);
    app = mount(App, { target: document.body, props: { page: new Page() } });
    await draw(500);
  });

  afterEach(async () => {
    await unmount(app);
    uninstall();
  });

  async function paste(...files: { name: string; size: number; folder?: boolean; type?: string }[]): Promise<Event> {
    const items = files.map(({ name, size, folder, type = 'text/plain' }) => ({
      kind: 'file',
      getAsFile: () => new File([new Uint8Array(size)], name, { type }),
      webkitGetAsEntry: () => ({ isDirectory: folder ?? false }),
    }));
    const event = Object.assign(new Event('paste', { bubbles: true, cancelable: true }), { clipboardData: { types: ['Files'], items, getData: () => '' } });
    all('composer')[0]!.dispatchEvent(event);
    await draw();
    return event;
  }

  test('what is pasted is sent with no words, and shown as a card', async () => {
    expect((await paste({ name: 'plan.txt', size: 10 })).defaultPrevented).toBe(true);
    expect(texts('transfer')).toEqual(['plan.txt 10 bytes']);
    all('send')[0]!.click();
    await draw();
    expect([all('transfer'), all('pending'), texts('file-card'), texts('body')]).toEqual([[], [], ['plan.txt TXT · 10 bytes'], []]);
    expect(texts('last-message')).toEqual(['You: plan.txt']);
  });

  test('what cannot be sent is refused in words, and the rest is taken', async () => {
    await paste({ name: 'none', size: 0 }, { name: 'huge', size: 1001 }, { name: 'dir', size: 4096, folder: true }, { name: 'good', size: 1000 });
    expect(texts('toast')).toEqual([expect.stringContaining('none is empty'), expect.stringContaining('huge is larger than 1 kB'), expect.stringContaining('dir is a folder')]);
    expect(texts('transfer')).toEqual(['good 1,000 bytes'].map((text) => expect.stringContaining(text.split(' ')[0]!)));
    await paste({ name: 'second', size: 5 }, { name: 'third', size: 5 });
    expect([texts('toast').at(-1), all('transfer').length]).toEqual(['A message can have at most 2 files.', 2]);
  });

  test('a full storage is told from what is too large', async () => {
    const answer = fetch;
    let [status, code, detail] = [503, 'unavailable', 'the disk for files is full'] as [number, string, string];
    vi.stubGlobal('fetch', async (url: string, init: RequestInit) => (url.includes('/files?') ? Response.json({ type: '', title: '', status, detail, code }, { status }) : answer(url, init)));
    await paste({ name: 'a', size: 5 });
    expect(texts('transfer-line')).toEqual(['There’s no room left for files. Delete some, or ask an administrator.']);
    [status, code, detail] = [413, 'too_large', 'a file must be at most 1000 bytes'];
    all('transfer-again')[0]!.click();
    await draw();
    expect(texts('transfer-line')).toEqual(['Larger than this server takes.']);
    all('transfer-remove')[0]!.click();
    await draw();
    expect([all('transfer'), (all('send')[0] as HTMLButtonElement).disabled]).toEqual([[], true]);
  });

  test('what is dropped on a chat in the list goes there', async () => {
    const there = '0199a0c0-0000-7000-8000-000000000002';
    const joined = server.chat(there).entry({ read_seq: 0, delivered_seq: 0 });
    server.tell({ op: 'chat.joined', d: { chat: joined } });
    await draw();
    const item = all('chat-item').find((el) => el.dataset['chat'] === there)!;
    const drag = (name: string) => {
      const items = [{ kind: 'file', getAsFile: () => new File(['x'], 'a.txt', { type: 'text/plain' }) }];
      item.dispatchEvent(Object.assign(new Event(name, { bubbles: true, cancelable: true }), { dataTransfer: { types: ['Files'], items } }));
      flushSync();
    };
    drag('dragenter');
    drag('dragover');
    expect(all('drop')).toHaveLength(1);
    drag('drop');
    await draw();
    expect([location.pathname, all('transfer').length, all('drop')]).toEqual([`/chats/${there}`, 1, []]);
  });

  test('words that were copied with their picture are pasted as words', async () => {
    const event = Object.assign(new Event('paste', { bubbles: true, cancelable: true }), { clipboardData: { types: ['text/plain', 'Files'], items: [], getData: () => 'words' } });
    all('composer')[0]!.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(false);
  });

  test('pictures have their room before they come, and their viewer keys', async () => {
    server.post('other', 'two', 'k', uuid, [], [file({ id: 'a', name: 'a.png' }), file({ id: 'b', name: 'b.png' })]);
    server.post('other', 'one', 'l', uuid, [], [file({ id: 'c', name: 'c.png' })]);
    await draw();
    const images = all('picture').map((el) => el.querySelector('img')!);
    expect(images.map((img) => [img.getAttribute('width'), img.getAttribute('height')])).toEqual([['140', '140'], ['140', '140'], ['420', '315']]);
    expect(all('picture').map((el) => el.getAttribute('aria-label')!.replace(/[\u2068\u2069]/g, ''))).toEqual(['Picture 1 of 2: a.png', 'Picture 2 of 2: b.png', 'Picture: c.png']);
    all('picture')[1]!.click();
    await draw();
    expect(texts('lightbox-at')).toEqual(['2 of 3']);
    const press = (key: string) => all('lightbox')[0]!.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    press('ArrowRight');
    await draw();
    expect([texts('lightbox-at'), all('viewed')[0]!.getAttribute('alt')]).toEqual([['3 of 3'], 'c.png']);
    press('Escape');
    await draw();
    expect(all('lightbox')).toEqual([]);
  });

  test('the viewer goes on into the past, over messages without pictures', async () => {
    await unmount(app);
    server.post('other', '', 'k', uuid, [], [file({ id: 'old', name: 'old.png' })]);
    for (let i = 0; i < 120; i++) server.post('other', `${i}`, `k${i}`, uuid);
    server.post('other', '', 'l', uuid, [], [file({ id: 'new', name: 'new.png' })]);
    // The list, which has no layout, would read on by itself.
    let [reads, free] = [0, () => {}];
    const later = new Promise<void>((resolve) => (free = resolve));
    server.hold = (path) => (path.endsWith('/messages') && ++reads > 1 ? later : undefined);
    const page = new Page();
    app = mount(App, { target: document.body, props: { page } });
    await draw(500);
    page.files!.view(page.files!.pictures, page.files!.pictures[0]!, uuid);
    await draw();
    const shown = () => all('viewed')[0]!.getAttribute('alt');
    expect([shown(), all('lightbox-at')]).toEqual(['new.png', []]);
    all('previous-picture')[0]!.click();
    free();
    await draw(2_000);
    expect([shown(), texts('lightbox-at'), (all('previous-picture')[0] as HTMLButtonElement).disabled]).toEqual(['old.png', ['1 of 2'], true]);
    all('next-picture')[0]!.click();
    await draw();
    expect(shown()).toBe('new.png');
    all('close-lightbox')[0]!.click();
    await draw();
  });
});
