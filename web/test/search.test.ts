import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConnectionLost, ProblemError, type SearchHit, type SearchPage } from '../src/client';
import { marks } from '../src/page/marks';
import { Search } from '../src/page/search.svelte';
import { message } from './make';

describe('a highlight', () => {
  test('is text, of which some is marked', () => {
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

  test('that is cut in the middle of a mark is still read', () => {
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
  let search: Search;

  beforeEach(() => {
    vi.useFakeTimers();
    answers = [];
    asked = [];
    search = new Search({
      search: (q, bound = {}) => {
        asked.push(`${q} ${bound.offset}`);
        return answers.shift()!(q, bound);
      },
    });
  });
  afterEach(() => vi.useRealTimers());

  const found = () => search.hits.map((h) => h.message.seq);
  const pause = () => vi.advanceTimersByTimeAsync(200);

  test('waits for a pause in the typing', async () => {
    answers.push(async () => answer([1]));
    for (const text of ['g', 'gr', 'green']) search.type(text);
    expect(search.phase).toBe('searching');
    await pause();
    expect([asked, found(), search.phase]).toEqual([['green 0'], [1], 'done']);
  });

  test('forgets an answer that was overtaken', async () => {
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

  test('reads on by pages, and ends when a page brings nothing', async () => {
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

  test('tells a query that is not taken from a server that does not search', async () => {
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

  test('says when the index is behind, and is empty again without words', async () => {
    answers.push(async () => answer([1], 1, 60_000));
    search.type('tea');
    await pause();
    expect(search.lagging).toBe(true);
    search.type('  ');
    await pause();
    expect([search.phase, found(), asked.length]).toEqual(['empty', [], 1]);
  });
});
