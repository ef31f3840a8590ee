import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConnectionLost, ProblemError, type SearchHit, type SearchPage } from '../src/client';
import { marks } from '../src/page/text/marks';
import { Search } from '../src/page/state/search.svelte';
import { message } from './make';

describe('a highlight', () => {
  test('is text, some of it marked', () => {
    expect(marks('a <mark>green</mark> tea &amp; <mark>b</mark>')).toEqual([
      { text: 'a ', marked: false },
      { text: 'green', marked: true },
      { text: ' tea & ', marked: false },
      { text: 'b', marked: true },
    ]);
  });

  test('is never markup, even from a server that forgot to escape', () => {
    const hostile = '<img src=x onerror=alert(1)><mark>x</mark><script>y</script>&lt;b&gt;&unknown;';
    expect(marks(hostile).map(({ text }) => text).join('')).toBe('<img src=x onerror=alert(1)>x<script>y</script><b>&unknown;');
  });

  test('that is cut in the middle of a mark is still parsed', () => {
    expect(marks('one</mark> two <mark>three')).toEqual([
      { text: 'one', marked: false },
      { text: ' two ', marked: false },
      { text: 'three', marked: true },
    ]);
  });
});

describe('a search', () => {
  const hit = (seq: number): SearchHit => ({ message: message(seq), highlight: `text ${seq}` });
  const answer = (seqs: number[], total = seqs.length, lag_ms = 0): SearchPage => ({ hits: seqs.map(hit), total, took_ms: 1, lag_ms });
  let answers: ((q: string, bound: { offset?: number }) => Promise<SearchPage>)[];
  let asked: string[];
  let bounds: { chat_id?: string; tz?: string }[];
  let search: Search;

  beforeEach(() => {
    vi.useFakeTimers();
    answers = [];
    asked = [];
    bounds = [];
    search = new Search({
      search: (q, bound = {}) => {
        asked.push(`${q} ${bound.offset}`);
        bounds.push(bound);
        return answers.shift()!(q, bound);
      },
    });
  });
  afterEach(() => vi.useRealTimers());

  const found = () => search.hits.map((h) => h.message.seq);
  const pause = () => vi.advanceTimersByTimeAsync(200);

  test('waits for a pause in typing', async () => {
    answers.push(async () => answer([1]));
    for (const text of ['g', 'gr', 'green']) search.type(text);
    expect(search.phase).toBe('searching');
    await pause();
    expect([asked, found(), search.phase]).toEqual([['green 0'], [1], 'done']);
  });

  test('drops an answer that was overtaken', async () => {
    let late!: (page: SearchPage) => void;
    answers.push(() => new Promise((resolve) => (late = resolve)), async () => answer([2]));
    search.type('old');
    await pause();
    search.type('new');
    await pause();
    late(answer([1]));
    await pause();
    expect(found()).toEqual([2]);
  });

  test('reads on in pages, and ends at an empty page', async () => {
    answers.push(async () => answer([1, 2], 9), async () => answer([3], 9), async () => answer([], 9));
    search.type('tea');
    await pause();
    expect(search.more).toBe(true);
    search.next();
    await pause();
    expect([found(), search.more]).toEqual([[1, 2, 3], true]);
    search.next();
    await pause();
    expect([asked, found(), search.more]).toEqual([['tea 0', 'tea 2', 'tea 3'], [1, 2, 3], false]);
  });

  test('distinguishes a refused query from a server that cannot search', async () => {
    const problem = (code: 'bad_request' | 'unavailable', status: number) => new ProblemError({ type: '', title: '', status, detail: `said ${code}`, code });
    answers.push(async () => Promise.reject(problem('bad_request', 400)), async () => Promise.reject(problem('unavailable', 503)), async () => Promise.reject(new ConnectionLost()), async () => answer([1]));
    search.type('before:never');
    await pause();
    expect([search.phase, search.reason]).toEqual(['failed', 'said bad_request']);
    for (const _ of ['unavailable', 'offline']) {
      search.again();
      await pause();
      expect([search.phase, search.reason]).toEqual(['unavailable', '']);
    }
    search.again();
    await pause();
    expect([search.phase, found()]).toEqual(['done', [1]]);
  });

  test('is confined to one chat until it is widened, and counts the days of the browser', async () => {
    answers.push(async () => answer([1]), async () => answer([1, 2]));
    search.chatId = 'c1';
    search.type('tea');
    await pause();
    search.widen();
    await pause();
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    expect(bounds.map(({ chat_id, tz }) => [chat_id, tz])).toEqual([['c1', timeZone], [undefined, timeZone]]);
    expect(found()).toEqual([1, 2]);
  });

  test('says when the index is behind, and is empty again without a query', async () => {
    answers.push(async () => answer([1], 1, 60_000));
    search.type('tea');
    await pause();
    expect(search.lagging).toBe(true);
    search.type('  ');
    await pause();
    expect([search.phase, found(), asked.length]).toEqual(['empty', [], 1]);
  });
});
