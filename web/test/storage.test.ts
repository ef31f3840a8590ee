// @vitest-environment jsdom
import { expect, test } from 'vitest';
import { browserStorage, clearStorage } from '../src/page/storage';

test('unsent messages are kept by user and forgotten at log-out', () => {
  const draft = { key: 'k', chat_id: 'c', body: 'x', written_at: 1 };
  browserStorage('a').save({ ...draft, key: 'later', written_at: 2 });
  browserStorage('a').save(draft);
  browserStorage('b').save(draft);
  expect(browserStorage('a').load().map((d) => d.key)).toEqual(['k', 'later']);
  browserStorage('a').forget('k');
  clearStorage('b');
  expect(browserStorage('a').load()).toHaveLength(1);
  expect(browserStorage('b').load()).toEqual([]);
});

test('a browser that refuses storage only loses what storage is for', () => {
  const refusing = { setItem: () => { throw new DOMException('no', 'QuotaExceededError'); } } as unknown as Storage;
  const storage = browserStorage('a', refusing);
  storage.save({ key: 'k', chat_id: 'c', body: 'x', written_at: 1 });
  expect(storage.load()).toEqual([]);
});
