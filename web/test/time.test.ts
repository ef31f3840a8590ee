import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Today } from '../src/page/state/today.svelte';
import { dayStart, Times } from '../src/page/text/time';

/** Calendar days in Berlin: 29 March 2026 has 23 hours, 25 October has 25. */

const at = (local: string) => new Date(local);
const day = (now: string, ts: string) => new Times('en-GB', dayStart(at(now))).day(at(ts).toISOString()).replace(',', '');
const short = (now: string, ts: string) => new Times('en-GB', dayStart(at(now))).short(at(ts).toISOString());

test('the tests run where clocks change', () => {
  expect(at('2026-03-30T00:30').toISOString()).toBe('2026-03-29T22:30:00.000Z');
});

describe('a day', () => {
  test.each([
    ['2026-03-30T00:30', '2026-03-30T00:00', 'Today'],
    ['2026-03-30T00:30', '2026-03-29T23:59', 'Yesterday'],
    ['2026-03-30T00:30', '2026-03-29T00:00', 'Yesterday'],
    ['2026-03-30T00:30', '2026-03-28T23:59', 'Saturday 28 March 2026'],
    ['2026-03-30T23:59', '2026-03-29T00:30', 'Yesterday'],
    ['2026-03-29T03:30', '2026-03-28T12:00', 'Yesterday'],
    ['2026-10-25T23:30', '2026-10-25T00:10', 'Today'],
    ['2026-10-25T23:30', '2026-10-24T23:50', 'Yesterday'],
    ['2026-10-26T00:30', '2026-10-25T00:30', 'Yesterday'],
    ['2026-10-26T23:30', '2026-10-25T23:50', 'Yesterday'],
    ['2026-10-26T23:30', '2026-10-24T23:50', 'Saturday 24 October 2026'],
    ['2026-01-01T00:00', '2025-12-31T23:59', 'Yesterday'],
    ['2028-03-01T08:00', '2028-02-29T08:00', 'Yesterday'],
    ['2026-03-01T08:00', '2026-02-27T08:00', 'Friday 27 February 2026'],
  ])('on %s: %s is %s', (now, ts, text) => {
    expect(day(now, ts)).toBe(text);
  });
});

describe('a short time', () => {
  test.each([
    ['2026-03-30T00:30', '2026-03-30T00:10', '00:10'],
    ['2026-03-30T00:30', '2026-03-29T23:50', 'Sun'],
    ['2026-03-30T00:30', '2026-03-24T00:00', 'Tue'],
    ['2026-03-30T23:30', '2026-03-24T00:00', 'Tue'],
    ['2026-03-30T00:30', '2026-03-23T23:59', '23 Mar'],
    ['2026-10-26T23:30', '2026-10-20T00:00', 'Tue'],
    ['2026-10-26T00:30', '2026-10-19T23:59', '19 Oct'],
    ['2026-03-30T23:59', '2026-03-31T00:01', '00:01'],
  ])('on %s: %s is %s', (now, ts, text) => {
    expect(short(now, ts)).toBe(text);
  });
});

describe('today', () => {
  let end = () => {};

  const begin = (now: string): Today => {
    vi.useFakeTimers({ now: at(now) });
    const today = new Today();
    end = today.follow();
    return today;
  };
  beforeEach(() => vi.stubGlobal('document', { visibilityState: 'visible' }));
  afterEach(() => {
    end();
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  test.each(['2026-03-28', '2026-03-29', '2026-10-24', '2026-10-25', '2026-12-31'])('ends at midnight on %s, with one timer', (date) => {
    const today = begin(`${date}T00:30`);
    const next = dayStart(at(`${date}T00:30`), 1);
    vi.advanceTimersByTime(next.getTime() - Date.now() - 1);
    expect(today.start).toEqual(at(`${date}T00:00`));
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1);
    expect(today.start).toEqual(next);
    vi.advanceTimersByTime(dayStart(next, 1).getTime() - Date.now());
    expect(today.start).toEqual(dayStart(next, 1));
    expect(vi.getTimerCount()).toBe(1);
  });

  test('goes on after a sleep in which no timer ran', () => {
    const listeners = new Map<string, (event: { type: string }) => void>();
    vi.stubGlobal('addEventListener', (type: string, heard: () => void) => listeners.set(type, heard));
    const today = begin('2026-03-28T23:00');
    vi.setSystemTime(at('2026-03-30T07:00'));
    expect(today.start).toEqual(at('2026-03-28T00:00'));
    listeners.get('visibilitychange')!({ type: 'visibilitychange' });
    expect(today.start).toEqual(at('2026-03-30T00:00'));
    vi.advanceTimersByTime(17 * 3_600_000);
    expect(today.start).toEqual(at('2026-03-31T00:00'));
  });
});
