import { describe, expect, test } from 'vitest';
import * as format from '../src/page/text/format';
import { mentionable } from '../src/page/composer/mentionable';
import { sections } from '../src/page/state/sections';
import { fromEntry } from '../src/client/state';
import { entry } from './make';

/** Parses `a|b|c`: a text with its selection. */
function at(text: string): format.Edited {
  const from = text.indexOf('|');
  const to = text.lastIndexOf('|');
  return from === to ? { text: text.replace('|', ''), from, to: from } : { text: text.replaceAll('|', ''), from, to: to - 1 };
}
const show = ({ text, from, to }: format.Edited) => (from === to ? `${text.slice(0, from)}|${text.slice(from)}` : `${text.slice(0, from)}|${text.slice(from, to)}|${text.slice(to)}`);

describe('formatting', () => {
  test.each([
    ['bold', (e: format.Edited) => format.wrap(e, '**'), 'a |b| c', 'a **|b|** c'],
    ['bold again', (e: format.Edited) => format.wrap(e, '**'), 'a **|b|** c', 'a |b| c'],
    ['bold of nothing', (e: format.Edited) => format.wrap(e, '**'), 'a |', 'a **|**'],
    ['code', format.code, 'a |b| c', 'a `|b|` c'],
    ['code of lines', format.code, 'a\n|b\nc|', 'a\n```\n|b\nc|\n```'],
    ['code of lines after a word', format.code, 'a |b\nc|', 'a \n```\n|b\nc|\n```'],
    ['list', (e: format.Edited) => format.prefix(e, '- '), 'x\n|a\nb|', 'x\n- |a\n- b|'],
    ['list again', (e: format.Edited) => format.prefix(e, '- '), '|- a\n- b|', '|a\nb|'],
    ['link', (e: format.Edited) => format.link(e), 'see |this|', 'see [this](|)'],
    ['link to', (e: format.Edited) => format.link(e, 'https://x.org'), 'see |this|!', 'see [this](https://x.org)|!'],
    ['insert', (e: format.Edited) => format.insert(e, '🎉'), 'a|b|c', 'a🎉|c'],
  ] as const)('%s', (_name, change, before, after) => {
    expect(show(change(at(before)))).toBe(after);
  });
});

describe('a mention', () => {
  test.each([
    ['@|', { start: 0, name: '' }],
    ['hi @Bo|', { start: 3, name: 'bo' }],
    ['(@bo|', { start: 1, name: 'bo' }],
    ['@张|', { start: 0, name: '张' }],
    ['_@bo|', { start: 1, name: 'bo' }],
    ['me@bo|', null],
    ['josé@bo|', null],
    ['你好@bo|', null],
    ['hi |', null],
    ['@bo| x |', null],
  ])('is being written in %j: %j', (text, found) => {
    expect(format.mentionAt(at(text))).toEqual(found);
  });

  test('offers members whose name begins with what was typed, and @all', () => {
    const user = (id: string, username: string, display_name: string) => [id, { id, username, display_name, created_at: '' }] as const;
    const users = new Map([user('1', 'ada', 'Ada Winter'), user('2', 'bob', 'Robert Allen'), user('3', 'mei', '林美'), user('me', 'me', 'Me')]);
    const names = (typed: string, ids = ['1', '2', '3', 'me', 'unknown']) => mentionable(ids, users, 'me', typed).map((c) => c.username);
    expect(names('')).toEqual(['ada', 'bob', 'mei', 'all']);
    expect([names('al'), names('win'), names('林'), names('bo'), names('bob'), names('x'), names('me')]).toEqual([['bob', 'all'], ['ada'], ['mei'], ['bob'], [], [], ['mei']]);
    expect(names('a', ['1', 'me'])).toEqual(['ada']);
    const more = new Map([user('1', 'wizard', 'Özgür Łuk'), user('2', 'jo', 'Ann José'), user('3', 'k', 'کتاب')]);
    const found = (typed: string) => mentionable(['1', '2', '3', 'me'], more, 'me', typed).map((c) => c.username);
    expect([found('ozgur'), found('özg'), found('luk'), found('jose'), found('josé'), found('كتاب'), found('zg')]).toEqual([
      ['wizard'], ['wizard'], ['wizard'], ['jo'], ['jo'], ['k'], [],
    ]);
  });
});

describe('the sidebar', () => {
  test('has sections: channels by name, others by activity, archived chats last', () => {
    const chats = [
      entry({ id: '1', kind: 'public', name: 'zoo' }),
      entry({ id: '2', kind: 'direct', name: 'Ada' }),
      entry({ id: '3', kind: 'private', name: 'bees' }),
      entry({ id: '4', kind: 'public', name: 'attic', archived: true }),
    ].map(fromEntry);
    const list = (filter: string) => sections(chats, { title: (chat) => chat.entry.name, filter }).map((s) => `${s.name}: ${s.chats.map((c) => c.entry.name)}`);
    expect(list('')).toEqual(['channels: bees,zoo,attic', 'direct: Ada']);
    expect([list('A'), list('none')]).toEqual([['channels: attic', 'direct: Ada'], []]);
    chats.push(fromEntry(entry({ id: '5', kind: 'direct', name: 'Özgür José' })));
    expect([list(' OZGUR'), list('josé'), list('ö')]).toEqual([['direct: Özgür José'], ['direct: Özgür José'], ['channels: zoo', 'direct: Özgür José']]);
  });
});
