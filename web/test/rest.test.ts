import { describe, expect, test } from 'vitest';
import { ConnectionLost, DeadlineExceeded, ProblemError } from '../src/client/errors';
import { Rest } from '../src/client/rest';

function rest(answer: Response | Error, token = '') {
  const calls: { url: string; init: RequestInit }[] = [];
  const fetcher = (async (url: string, init: RequestInit) => {
    calls.push({ url, init });
    if (answer instanceof Error) throw answer;
    return answer;
  }) as typeof fetch;
  return { calls, api: new Rest('http://server', token, fetcher) };
}

const json = (status: number, body: unknown, type = 'application/json') =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': type } });

const failure = (promise: Promise<unknown>) => promise.then(() => undefined, (err: unknown) => err);

describe('requests', () => {
  test('carry query, body, key and token where they belong', async () => {
    const { calls, api } = rest(json(201, { id: 'c' }), 'secret');
    await api.createChat({ kind: 'group', member_ids: ['a'] }, 'k1');
    const [{ url, init }] = calls as [{ url: string; init: RequestInit }];
    expect(url).toBe('http://server/api/v1/chats');
    expect(init).toMatchObject({ method: 'POST', body: '{"kind":"group","member_ids":["a"]}' });
    expect(init.headers).toMatchObject({ 'Content-Type': 'application/json', 'Idempotency-Key': 'k1', Authorization: 'Bearer secret' });
  });

  test('without a body have no content type, and undefined is left out of the query', async () => {
    const { calls, api } = rest(json(200, { users: [] }));
    await api.findUsers('a b&c');
    expect(calls[0]!.url).toBe('http://server/api/v1/users?q=a+b%26c');
    expect(calls[0]!.init.headers).not.toHaveProperty('Content-Type');
    expect(calls[0]!.init.headers).not.toHaveProperty('Authorization');
  });

  test('encode an emoji in the path', async () => {
    const { calls, api } = rest(json(200, { user_ids: [] }));
    await api.reactors('m', '👍');
    expect(calls[0]!.url).toBe('http://server/api/v1/messages/m/reactions/%F0%9F%91%8D');
  });

  test('an empty answer is not an error', async () => {
    const { api } = rest(new Response(null, { status: 204 }));
    expect(await api.logOut()).toBeUndefined();
  });
});

describe('failures', () => {
  test('a problem keeps its code, detail and retry time', async () => {
    const problem = { type: 'about:blank', title: 'Slow down', status: 429, detail: 'Too many.', code: 'rate_limited', retry_after_ms: 1500 };
    const { api } = rest(json(429, problem, 'application/problem+json'));
    const err = (await failure(api.me())) as ProblemError;
    expect(err).toBeInstanceOf(ProblemError);
    expect([err.code, err.message, err.retryAfterMs]).toEqual(['rate_limited', 'Too many.', 1500]);
  });

  test('the error page of a proxy becomes a problem too', async () => {
    const { api } = rest(new Response('<h1>Bad gateway</h1>', { status: 502 }));
    expect(await failure(api.me())).toMatchObject({ code: 'unavailable', problem: { status: 502 } });
  });

  test('no network is a lost connection, no answer a missed deadline', async () => {
    expect(await failure(rest(new TypeError('failed')).api.me())).toBeInstanceOf(ConnectionLost);
    expect(await failure(rest(new DOMException('', 'TimeoutError')).api.me())).toBeInstanceOf(DeadlineExceeded);
  });
});

test('the page of a captive portal is not taken for the server', async () => {
  const rest = new Rest('', '', async () => new Response('<html>Log in to this hotel</html>', { status: 200 }));
  await expect(rest.me()).rejects.toBeInstanceOf(ConnectionLost);
});
