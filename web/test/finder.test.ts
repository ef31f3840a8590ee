import { describe, expect, test } from 'vitest';
import { ProblemError } from '../src/client';
import { fromEntry } from '../src/client/state';
import { foundChats, newChannels, newPeople } from '../src/page/state/finder';
import { patches } from '../src/page/text/format';
import { shownMarks } from '../src/page/text/marks';
import { plain } from '../src/page/text/markdown';
import { fieldOf } from '../src/page/text/refusals';
import { entry } from './make';

/** What is found by a few letters, and how it is shown. */

describe('the switcher', () => {
  const chats = ['redesign', 'Team design', 'design', 'designers', 'tea'].map((name) => fromEntry(entry({ id: name, name, kind: 'public' })));
  const found = (typed: string, ...visited: string[]) => foundChats(chats, ({ entry: { name } }) => name, typed, visited).map(({ entry: { id } }) => id);

  test('puts what is called so first, then what begins so, then words, then parts of words', () => {
    expect(found('design')).toEqual(['design', 'designers', 'Team design', 'redesign']);
  });

  test('puts those of equal fit by recent use', () => {
    expect(found('te', 'tea')).toEqual(['tea', 'Team design']);
    expect(found('te', 'Team design', 'tea')).toEqual(['Team design', 'tea']);
  });

  test('offers the last ones used before anything is typed', () => {
    expect(found('', 'tea', 'designers').slice(0, 3)).toEqual(['tea', 'designers', 'redesign']);
  });

  test('offers people without a chat, and channels that one is not in', () => {
    const user = (id: string) => ({ id, username: id, display_name: id, created_at: '' });
    expect(newPeople(['me', 'ann', 'bob'].map(user), 'me', new Set(['ann'])).map(({ id }) => id)).toEqual(['bob']);
    const channel = (id: string, joined: boolean) => ({ ...entry({ id }), members: 1, joined });
    expect(newChannels([channel('in', true), channel('out', false)]).map(({ id }) => id)).toEqual(['out']);
  });
});

test.each([
  ['**<mark>green</mark>** tea', ['*green*', ' tea']],
  ['a [<mark>link</mark>](https://a.example/)', ['a ', '*link*']],
  ['`x` &lt;b&gt; <mark>y</mark>', ['x <b> ', '*y*']],
  ['plain', ['plain']],
])('a result shows the words of %s', (highlight, shown) => {
  expect(shownMarks(highlight, (body) => plain(body)).map(({ text, marked }) => (marked ? `*${text}*` : text))).toEqual(shown);
});

describe('typing as little as a change takes', () => {
  const lines = Array.from({ length: 1_000 }, (_, i) => `line ${i}`).join('\n');
  const typed = (before: string, after: string) => {
    const all = patches(before, after);
    const made = all.reduce((text, { from, to, text: part }) => text.slice(0, from) + part + text.slice(to), before);
    expect(made).toBe(after);
    return all.reduce((sum, { from, to, text }) => sum + text.length + to - from, 0);
  };

  test.each([
    ['wrapping all of it', lines, `**${lines}**`, 4],
    ['unwrapping it', `**${lines}**`, lines, 4],
    ['wrapping the end', `a ${lines}`, `a _${lines}_`, 2],
    ['completing a name', 'hello @bo', 'hello @bob ', 2],
    ['a link around words', 'see it here', 'see [it](https://a.example/) here', 23],
    ['nothing', lines, lines, 0],
    ['repeating what is there', 'aa', 'aaa', 1],
  ])('%s', (_, before, after, most) => {
    expect(typed(before, after)).toBeLessThanOrEqual(most);
  });

  test('lines that all change are replaced', () => {
    expect(typed('a\nb\nc', '- a\n- b\n- c')).toBeLessThan(30);
  });
});

test.each([
  ['this username is taken, or looks like one that is', 'username'],
  ['this display_name is reserved', 'display_name'],
  ['password is one of the most common ones: anybody would guess it', 'password'],
  ['the current password is wrong', 'current_password'],
  ['name must be at most 100 characters', 'name'],
  ['topic must be at most 200 characters', 'topic'],
  ['too many requests; slow down', ''],
])('"%s" stands at the field %s', (detail, field) => {
  expect(fieldOf(new ProblemError({ type: '', title: '', status: 0, detail, code: 'conflict' }))).toBe(field);
});
