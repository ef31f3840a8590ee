import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ProblemError } from '../src/client';
import type { ProblemCode } from '../src/client/types';
import { en } from '../src/page/i18n/en';
import { zh } from '../src/page/i18n/zh';
import { refusals, refusalSentence } from '../src/page/text/refusals';

/** The server's refusals, as sentences for people. */

const root = new URL('../../', import.meta.url);
const sources = ['chat', 'server', 'persistence'].flatMap((folder) => readdirSync(new URL(folder, root)).filter((name) => name.endsWith('.go') && !name.endsWith('_test.go')).map((name) => readFileSync(new URL(`${folder}/${name}`, root), 'utf8')));
const refused = (code: ProblemCode, detail: string, retry_after_ms?: number) => new ProblemError({ type: '', title: '', status: 0, detail, code, ...(retry_after_ms && { retry_after_ms }) });

test.each(Object.entries(refusals))('the server still says %s so', (_, text) => {
  expect(sources.some((source) => source.includes(`"${text}`))).toBe(true);
});

test.each([
  [refused('conflict', 'this display_name looks like the name of somebody else'), en.refusals.nameTaken, zh.refusals.nameTaken],
  [refused('bad_request', 'password is one of the most common ones: anybody would guess it'), en.refusals.passwordCommon, zh.refusals.passwordCommon],
  [refused('conflict', 'you can be in at most 2000 chats'), en.refusals.chatsFull, zh.refusals.chatsFull],
  [refused('rate_limited', 'too many failed log-ins under this name; wait', 90_000), 'Too many failed log-ins for this account. Try again in 2 minutes.', '此账号登录失败的次数过多。请在 2 分钟后重试。'],
  [refused('rate_limited', 'too many requests; slow down', 900), 'You’re doing that too often. Try again in 1 second.', '操作过于频繁。请在 1 秒后重试。'],
  [refused('rate_limited', 'too many requests; slow down'), 'You’re doing that too often. Please try again later.', '操作过于频繁。请稍后再试。'],
  [refused('forbidden', 'this requires the role admin or owner'), en.refusals.roleNeeded, zh.refusals.roleNeeded],
  [refused('conflict', 'something that nobody has words for'), en.problems['conflict'], zh.problems['conflict']],
])('%s', (err, english, chinese) => {
  expect([refusalSentence(err, en), refusalSentence(err, zh)]).toEqual([english, chinese]);
});
