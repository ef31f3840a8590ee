import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Client } from '../src/client/client';
import { FileOutbox, type Held, type KeptParcel, type Parcel, type ParcelStorage } from '../src/client/parcels';
import { Rest } from '../src/client/rest';
import { FakeServer, install, pass, uninstall } from './fake';
import { chatId, me } from './make';

/** Messages that wait for their files, between a client and the server in memory. */

let server: FakeServer;
let client: Client;
let files: FileOutbox;
let held: Held;
let kept: Map<string, KeptParcel>;
let storage: ParcelStorage;
/** Lets the uploads through. */
let free: () => void;

const blob = (bytes = 10) => new Blob([new Uint8Array(bytes)], { type: 'image/png' });
const given = (...names: string[]) => names.map((name) => ({ name, blob: blob() }));
const states = () => files.tray(chatId).map(({ name, state }) => `${name} ${state}`);
const sent = () => server.received.filter((c) => c['op'] === 'message.send').map(({ d }) => [d.body, d.attachments]);
const bodies = () => [...server.chat().messages.values()].map(({ body, attachments }) => [body, attachments?.map(({ name }) => name)]);

async function begin(): Promise<void> {
  const rest = new Rest('', '', server.fetch);
  client = new Client({ user: { id: me, username: me, display_name: '', created_at: '' }, socketUrl: 'ws://server/ws', rest });
  files = new FileOutbox({ client, storage, changed: (now) => (held = now) });
  client.start();
  void files.start();
  await pass(200);
}

function end(): void {
  files.stop();
  client.stop();
}

beforeEach(async () => {
  server = new FakeServer();
  server.chat();
  install(server);
  kept = new Map();
  storage = { load: () => [...kept.values()], save: (parcel) => void kept.set(parcel.key, structuredClone(parcel)), forget: (key) => void kept.delete(key) };
  const gate = new Promise<void>((resolve) => (free = resolve));
  server.hold = (path) => (path === '/api/v1/files' ? gate : undefined);
  held = { trays: new Map(), parcels: [] };
  await begin();
});

afterEach(() => {
  end();
  uninstall();
});

test('files are uploaded while the text is written, three at once', async () => {
  files.add(chatId, given('a', 'b', 'c', 'd'));
  expect(states()).toEqual(['a uploading', 'b uploading', 'c uploading', 'd waiting']);
  free();
  await pass();
  expect(states()).toEqual(['a done', 'b done', 'c done', 'd done']);
  expect(sent()).toEqual([]);
});

describe('a message with files', () => {
  test('goes out with them at once, if they are there', async () => {
    free();
    files.add(chatId, given('a', 'b'));
    await pass();
    expect(files.send(chatId, 'look')).toBe(true);
    await pass();
    expect(sent()).toEqual([['look', ['f1', 'f2']]]);
    expect([bodies(), states(), held.parcels, kept.size]).toEqual([[['look', ['a', 'b']]], [], [], 0]);
  });

  test('waits for them, and holds up no text that is written meanwhile', async () => {
    files.add(chatId, given('a'));
    files.send(chatId, '');
    client.send(chatId, 'meanwhile');
    await pass();
    expect([bodies(), held.parcels.length]).toEqual([[['meanwhile', undefined]], 1]);
    free();
    await pass();
    expect(bodies()).toEqual([['meanwhile', undefined], ['', ['a']]]);
  });

  test('goes out once all of them are there', async () => {
    const { hold } = server;
    let uploads = 0;
    server.hold = (path) => (path === '/api/v1/files' && ++uploads === 1 ? undefined : hold(path));
    files.add(chatId, given('a', 'b'));
    files.send(chatId, 'both');
    await pass();
    expect([held.parcels[0]?.transfers.map(({ state }) => state), bodies()]).toEqual([['done', 'uploading'], []]);
    free();
    await pass();
    expect(bodies()).toEqual([['both', ['a', 'b']]]);
  });

  test('waits over a reload, and is sent once', async () => {
    files.add(chatId, given('a'));
    files.send(chatId, 'later');
    await pass();
    end();
    expect(kept.size).toBe(2);
    await begin();
    free();
    await pass(500);
    expect([bodies(), kept.size]).toEqual([[['later', ['a']]], 0]);
  });

  test('of which the browser has kept the words alone says so', async () => {
    files.add(chatId, given('a'));
    files.send(chatId, 'words');
    await pass();
    end();
    for (const [key, { blob: bytes }] of kept) if (bytes) kept.delete(key);
    await begin();
    expect(held.parcels.map(({ body, transfers }) => [body, transfers[0]!.state, String(transfers[0]!.error)])).toEqual([['words', 'failed', expect.stringContaining('cannot be read')]]);
  });

  test('writes the bytes of its files once', async () => {
    const save = vi.spyOn(storage, 'save');
    free();
    files.add(chatId, given('a'));
    files.send(chatId, '');
    await pass();
    expect(save.mock.calls.filter(([{ blob: bytes }]) => bytes)).toHaveLength(1);
  });

  test('is sent once even if the page ends before it knows that it was', async () => {
    free();
    files.add(chatId, given('a'));
    await pass();
    files.send(chatId, 'once');
    const left = new Map(kept);
    await pass();
    end();
    kept = left;
    await begin();
    expect([bodies(), kept.size]).toEqual([[['once', ['a']]], 0]);
    expect(sent()).toHaveLength(2);
  });

  test('is kept until the server has it', async () => {
    free();
    files.add(chatId, given('a'));
    await pass();
    server.before = ({ op }) => void (op === 'message.send' && FakeServer.refuse('overloaded'));
    files.send(chatId, 'kept');
    await pass();
    expect([kept.size, client.store.get().outbox[0]?.attachments?.length]).toEqual([2, 1]);
    server.before = () => {};
    await pass(20_000);
    expect([bodies(), kept.size]).toEqual([[['kept', ['a']]], 0]);
  });

  test('loses one that is taken back, and goes with the rest', async () => {
    files.add(chatId, given('a', 'b'));
    files.send(chatId, '');
    files.remove(held.parcels[0]!.transfers[0]!.id);
    free();
    await pass();
    expect(bodies()).toEqual([['', ['b']]]);
  });

  test('without words is nothing once its last file is taken back', async () => {
    files.add(chatId, given('a'));
    files.send(chatId, '');
    files.remove(held.parcels[0]!.transfers[0]!.id);
    expect([held.parcels, kept.size]).toEqual([[], 0]);
    free();
    await pass();
    expect(bodies()).toEqual([]);
  });
});

test('without files there is nothing to wait for', () => {
  expect(files.send(chatId, 'words')).toBe(false);
});

describe('a file that is refused', () => {
  beforeEach(() => {
    free();
    server.refuses = (path) => path === '/api/v1/files';
  });

  test('fails, and is tried again when the user says so', async () => {
    files.add(chatId, given('a'));
    await pass();
    expect(states()).toEqual(['a failed']);
    server.refuses = () => false;
    files.again(files.tray(chatId)[0]!.id);
    await pass();
    expect(states()).toEqual(['a done']);
  });

  test('keeps its message back, until it is retried or discarded', async () => {
    files.add(chatId, given('a'));
    files.send(chatId, 'back');
    await pass();
    const [{ key }] = held.parcels as [Parcel];
    expect([held.parcels[0]!.transfers[0]!.state, sent()]).toEqual(['failed', []]);
    server.refuses = () => false;
    expect([files.retry(key), files.retry('other')]).toEqual([true, false]);
    await pass();
    expect([bodies(), files.discard(key)]).toEqual([[['back', ['a']]], false]);
  });

  test('goes with its message when that is discarded', async () => {
    files.add(chatId, given('a'));
    files.send(chatId, 'gone');
    await pass();
    expect([files.discard(held.parcels[0]!.key), held.parcels, kept.size]).toEqual([true, [], 0]);
  });
});
