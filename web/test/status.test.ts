import { describe, expect, test } from 'vitest';
import { endOf, statusIn } from '../src/page/text/status';
import { Times } from '../src/page/text/time';

describe('the end of a status', () => {
  const end = (span: Parameters<typeof endOf>[0], now: string) => endOf(span, new Date(now));
  test.each([
    ['half', '2026-03-04T09:10:20', '2026-03-04T09:41:00'],
    ['hour', '2026-03-04T09:10:00', '2026-03-04T10:10:00'],
    ['today', '2026-03-04T00:00:00', '2026-03-05T00:00:00'],
    ['week', '2026-03-04T09:10:20', '2026-03-09T00:00:00'],
    ['week', '2026-03-08T23:59:00', '2026-03-09T00:00:00'],
    ['week', '2026-03-09T00:00:00', '2026-03-16T00:00:00'],
  ] as const)('%s from %s is %s', (span, now, then) => expect(end(span, now)).toEqual(new Date(then)));
  test('never comes', () => expect(end('never', '2026-03-04T09:10:20')).toBeUndefined());
});

test('a status without an emoji has a plain one, and none is none', () => {
  const told = { user_id: 'a', state: 'online' as const };
  expect(statusIn({ ...told, status_text: 'x' })).toEqual({ text: 'x', emoji: '💬', until: undefined });
  expect(statusIn({ ...told, status_text: '', status_emoji: '🍜', status_until: 'z' })).toEqual({ text: '', emoji: '🍜', until: 'z' });
  expect([statusIn({ ...told, status_text: '' }), statusIn(undefined)]).toEqual([undefined, undefined]);
});

describe('times', () => {
  const times = new Times('en-GB', new Date('2026-03-04T00:00:00'));
  const at = (text: string) => new Date(text).toISOString();

  test('of a clock elsewhere say the weekday only where it is another', () => {
    const noon = new Date('2026-03-04T12:00:00');
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    expect(times.at(here, noon)).toBe('12:00');
    expect(times.at('Pacific/Kiritimati', new Date('2026-03-04T12:00:00Z'))).toBe('Thu 02:00');
    expect(times.at('Nowhere/None', noon)).toBe('');
  });

  test('of an end', () => {
    expect(times.lastDay(at('2026-03-05T00:00:00'))).toBe('today');
    expect(times.lastDay(at('2026-03-09T00:00:00'))).toBe('Sun 8 Mar');
    expect(times.lastDay(at('2026-03-05T00:01:00'))).toBe('');
    expect([times.soon(at('2026-03-04T15:00:00')), times.soon(at('2026-03-05T00:10:00'))]).toEqual(['15:00', 'Thu 00:10']);
  });
});
