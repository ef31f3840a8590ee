import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '../src/client';
import { FakeServer, install, pass, uninstall } from './fake';
import { clientOf } from './looks';
import { chatId as id, other } from './make';

let server: FakeServer;
let client: Client;

beforeEach(async () => {
  server = new FakeServer();
  server.chat();
  install(server);
  client = clientOf(server);
  client.start();
  await pass();
});

afterEach(() => {
  client.stop();
  uninstall();
});

/** What was reported, as `chat true` or `chat false`. */
const told = () => server.received.filter((c) => c['op'] === 'typing.set').map(({ d }) => `${d.chat_id} ${d.typing}`);

async function write(forMs: number, chat = id): Promise<void> {
  for (let t = 0; t < forMs; t += 100) {
    client.typed(chat, 'some text');
    await pass(100);
  }
}

describe('writing', () => {
  test('is reported at once, and again every 3 s while it lasts', async () => {
    await write(2_900);
    expect(told()).toEqual([`${id} true`]);
    await write(3_200);
    expect(told()).toEqual([`${id} true`, `${id} true`, `${id} true`]);
  });

  test('is over after 5 s of nothing, once', async () => {
    await write(100);
    await pass(4_800);
    expect(told()).toEqual([`${id} true`]);
    await pass(10_000);
    expect(told()).toEqual([`${id} true`, `${id} false`]);
  });

  test('is over when the text is emptied or abandoned, and begins again at once', async () => {
    await write(100);
    client.typed(id, '');
    client.stopTyping();
    await write(100);
    client.stopTyping();
    await pass(10_000);
    expect(told()).toEqual([`${id} true`, `${id} false`, `${id} true`, `${id} false`]);
  });

  test('in another chat ends in the previous one', async () => {
    await write(100);
    await write(100, 'chat-2');
    expect(told()).toEqual([`${id} true`, `${id} false`, 'chat-2 true']);
  });

  test('is not reported to a server that does not support it, until the next connection', async () => {
    server.before = ({ op }) => void (op === 'typing.set' && FakeServer.refuse('bad_request'));
    await write(10_000);
    expect(told()).toHaveLength(1);
    server.cut();
    await pass(2_000);
    await write(100);
    expect(told()).toHaveLength(2);
  });

  test('is reported again after any other refusal', async () => {
    server.before = ({ op }) => void (op === 'typing.set' && FakeServer.refuse('overloaded'));
    await write(3_200);
    expect(told()).toHaveLength(2);
  });
});

describe('who types', () => {
  const typing = () => client.store.get().typing.get(id);
  const tell = (...user_ids: string[]) => {
    server.tell({ op: 'typing', chat_id: id, d: { user_ids, expires_ms: 6_000 } });
    return pass(10);
  };

  test('is shown until the frame expires', async () => {
    await tell(other);
    expect(typing()).toEqual([other]);
    await pass(5_900);
    expect(typing()).toEqual([other]);
    await pass(200);
    expect(typing()).toBeUndefined();
  });

  test('is prolonged by the next frame, and ended by an empty one', async () => {
    await tell(other);
    await pass(4_000);
    await tell(other, 'third');
    await pass(4_000);
    expect(typing()).toEqual([other, 'third']);
    await tell();
    expect(typing()).toBeUndefined();
  });

  test('is hidden once the message arrives', async () => {
    await tell(other, 'third');
    server.post(other, 'here it is');
    await pass(10);
    expect(typing()).toEqual(['third']);
    server.post('third', 'and mine');
    await pass(10);
    expect(typing()).toBeUndefined();
  });
});
