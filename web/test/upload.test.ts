import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ProblemError } from '../src/client/errors';
import { Rest } from '../src/client/rest';
import { later, upload } from '../src/client/upload';

/** A server that takes files, in memory: tus as PROTOCOL says, with faults where a test puts them. */
class Uploads {
  readonly calls: string[] = [];
  readonly names: string[] = [];
  bytes = 0;
  total = 0;
  exists = false;
  /** Called before each request; may answer in place of the server. */
  before: (method: string, call: number) => Response | Error | undefined = () => undefined;

  readonly fetch = (async (url: string, init: RequestInit) => {
    const { pathname, searchParams } = new URL(url);
    const headers = new Headers(init.headers);
    const method = init.method!;
    this.calls.push(`${method} ${pathname}`);
    if (init.signal?.aborted) throw init.signal.reason;
    const instead = this.before(method, this.calls.length);
    if (instead instanceof Error) throw instead;
    if (instead) return instead;
    if (pathname === '/api/v1/files') {
      this.names.push(searchParams.get('name')!);
      return Response.json({ id: 'small', size: (init.body as Blob).size }, { status: 201 });
    }
    if (method === 'GET') return Response.json({ id: 'large', size: this.bytes });
    if (method === 'POST') {
      this.total = Number(headers.get('Upload-Length'));
      this.names.push(Buffer.from(/filename (\S+?),/.exec(headers.get('Upload-Metadata')!)![1]!, 'base64').toString());
      this.exists = true;
      return new Response(null, { status: 201, headers: { Location: 'https://chat.example.org/api/v1/uploads/u1' } });
    }
    if (!this.exists) return new Response(null, { status: 404 });
    if (method === 'DELETE') {
      this.exists = false;
      return new Response(null, { status: 204 });
    }
    if (method === 'PATCH') {
      if (Number(headers.get('Upload-Offset')) !== this.bytes) return new Response('mismatched offset', { status: 409 });
      this.bytes += (init.body as Blob).size;
    }
    const done = this.bytes === this.total;
    return new Response(null, { status: method === 'HEAD' ? 200 : 204, headers: { 'Upload-Offset': `${this.bytes}`, ...(done && { 'Fechatter-File': 'large' }) } });
  }) as typeof fetch;
}

let server: Uploads;
let rest: Rest;
const mega = 1 << 20;
const blob = (bytes: number) => new Blob([new Uint8Array(bytes)], { type: 'image/png' });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  server = new Uploads();
  rest = new Rest('http://server', '', server.fetch);
});

afterEach(() => {
  vi.useRealTimers();
});

/** What becomes of it, however long it waits in between. */
async function outcome<T>(promise: Promise<T>): Promise<T | Error> {
  let done: T | Error | undefined;
  promise.then((value) => (done = value), (err: Error) => (done = err));
  while (done === undefined) await vi.advanceTimersByTimeAsync(1_000);
  return done;
}

test('a small file goes with one request, with its name as it is', async () => {
  expect(await outcome(upload(rest, blob(10), { name: 'a&b 图.png' }))).toEqual({ id: 'small', size: 10 });
  expect([server.calls, server.names]).toEqual([['POST /api/v1/files'], ['a&b 图.png']]);
});

test('a large one goes in parts that grow, and says how far it is', async () => {
  const told: number[] = [];
  const file = await outcome(upload(rest, blob(8 * mega), { name: '图.png', progress: (bytes) => told.push(bytes) }));
  expect(file).toEqual({ id: 'large', size: 8 * mega });
  expect(told).toEqual([1, 3, 7, 8].map((n) => n * mega));
  expect(server.names).toEqual(['图.png']);
});

describe('a large one goes on from where it was', () => {
  test('when the connection is lost, whether the part had arrived or not', async () => {
    server.before = (method, call) => (method === 'PATCH' && call === 3 ? new TypeError('failed to fetch') : undefined);
    expect(await outcome(upload(rest, blob(4 * mega), { name: 'a' }))).toMatchObject({ size: 4 * mega });
    expect(server.calls.filter((call) => call.startsWith('HEAD'))).toHaveLength(1);
  });

  test('when the server counts otherwise', async () => {
    server.before = (method, call) => {
      if (method === 'PATCH' && call === 2) server.bytes = mega / 2;
      return undefined;
    };
    expect(await outcome(upload(rest, blob(2 * mega), { name: 'a' }))).toMatchObject({ size: 2 * mega });
  });

  test('after a reload, by its place', async () => {
    let place = '';
    const gone = new AbortController();
    server.before = (method, call) => {
      if (method === 'PATCH' && call > 2) gone.abort(later);
      return undefined;
    };
    await outcome(upload(rest, blob(4 * mega), { name: 'a', signal: gone.signal, began: (url) => (place = url) }));
    expect([place, server.exists]).toEqual(['/uploads/u1', true]);
    server.before = () => undefined;
    const held = server.bytes;
    expect(held).toBeGreaterThan(0);
    const told: number[] = [];
    expect(await outcome(upload(rest, blob(4 * mega), { name: 'a', url: place, progress: (n) => told.push(n) }))).toMatchObject({ size: 4 * mega });
    expect(told[0]).toBe(held);
  });

  test('from the beginning, if the server has forgotten it', async () => {
    expect(await outcome(upload(rest, blob(mega), { name: 'a', url: '/uploads/old' }))).toMatchObject({ size: mega });
    expect(server.calls.slice(0, 2)).toEqual(['HEAD /api/v1/uploads/old', 'POST /api/v1/uploads']);
  });
});

test('an outage is waited out', async () => {
  server.before = (_, call) => (call < 40 ? new Response('', { status: 503 }) : undefined);
  expect(await outcome(upload(rest, blob(10), { name: 'a' }))).toMatchObject({ id: 'small' });
});

test.each([
  [413, 'too_large', 1],
  [403, 'forbidden', 1],
  [507, 'unavailable', 1],
  [500, 'internal', 7],
] as const)('%d %s ends it after %d', async (status, code, attempts) => {
  server.before = () => Response.json({ type: '', title: '', status, detail: 'no', code }, { status });
  expect(await outcome(upload(rest, blob(10), { name: 'a' }))).toMatchObject({ problem: { status, code } });
  expect(server.calls).toHaveLength(attempts);
});

test('it goes on at once when the server can be reached again', async () => {
  const wake = new EventTarget();
  server.before = (_, call) => (call === 1 ? new TypeError('failed to fetch') : undefined);
  vi.spyOn(Math, 'random').mockReturnValue(0.999);
  const done = upload(rest, blob(10), { name: 'a', wake });
  await vi.advanceTimersByTimeAsync(10);
  expect(server.calls).toHaveLength(1);
  wake.dispatchEvent(new Event('online'));
  expect(await done).toMatchObject({ id: 'small' });
});

test('a full disk ends it at once, though the server would be asked again for less', async () => {
  server.before = () => Response.json({ type: '', title: '', status: 503, detail: 'the disk is full', code: 'unavailable' }, { status: 503 });
  expect(await outcome(upload(rest, blob(10), { name: 'a' }))).toMatchObject({ code: 'unavailable' });
  expect(server.calls).toHaveLength(1);
});

test('a file that cannot be read any more is no lost connection', async () => {
  const broken = blob(10);
  const slice = vi.spyOn(broken, 'slice').mockReturnValue({ arrayBuffer: () => Promise.reject(new DOMException('', 'NotReadableError')) } as unknown as Blob);
  server.before = () => new TypeError('failed to fetch');
  const err = await outcome(upload(rest, broken, { name: 'a' }));
  expect([err instanceof ProblemError, (err as Error).message, slice.mock.calls.length]).toEqual([true, 'the file cannot be read any more', 1]);
});

test('who aborts it leaves nothing behind', async () => {
  const stop = new AbortController();
  server.before = (method) => {
    if (method === 'PATCH') stop.abort();
    return undefined;
  };
  expect(await outcome(upload(rest, blob(2 * mega), { name: 'a', signal: stop.signal }))).toBe(stop.signal.reason);
  await vi.advanceTimersByTimeAsync(10);
  expect(server.exists).toBe(false);
});
