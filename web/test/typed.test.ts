import { describe, expect, test } from 'vitest';
import { direction, isolated } from '../src/page/text/letters';
import { directionOf, parse, plain } from '../src/page/text/markdown';
import { chatTitle, userName } from '../src/page/text/names';
import { byName } from '../src/page/text/shortcodes';
import { show } from './show';

/** What was typed is what is seen: signs mean something only where people mean it. */

const emoji = (name: string) => ({ smile: '😄', tada: '🎉', '+1': '👍', wave: '👋', 'skin-tone-3': '🏼', '100': '💯', heart: '❤️' })[name];
const mentioned = (name: string) => name === 'bob';
const read = (body: string) => parse(body, mentioned, emoji).map(show).join(' ');
const asTyped = (body: string) => expect(read(body)).toBe(`paragraph[${JSON.stringify(body)}]`);

describe('backslashes stay', () => {
  test.each([
    '\\\\server\\share\\_docs',
    '\\\\server\\_share_\\*.txt',
    'C:\\Data\\..\\x.exe',
    'C:\\_a_\\b',
    '¯\\_(ツ)_/¯',
    'hm ¯\\_(ツ)_/¯ hm',
    '\\_(ツ)_/¯',
    '{\\"a\\":\\"b\\"}',
    'docker run \\\n -p 80:80',
    '^\\d+\\.\\d*\\[x\\](?:\\w|\\-)\\*$',
    'sed s/\\*/\\_/g',
    'a\\`b',
    '\\[x\\]',
    '\\(x + y\\)',
    '\\\\*a\\\\*',
    '\\-p 80:80',
    '\\#channel',
    '\\n\\t\\\\n',
    '\\<b>',
    'C:\\new\\',
    '\\!',
    'find . -name \\*.go',
  ])('%j', asTyped);

  test.each([
    ['\\*a\\*', '"*a*"'],
    ['\\**a**', '"**a**"'],
    ['\\*\\*a\\*\\*', '"**a**"'],
    ['\\_a_ and _b_', '"_a_ and ",em["b"]'],
    ['*a \\*b c*', 'em["a *b c"]'],
    ['\\~~a~~', '"~~a~~"'],
    ['\\`a\\`', '"`a`"'],
    ['\\`a` *b*', '"`a` ",em["b"]'],
    ['`C:\\`', 'code(C:\\)'],
    ['\\[a](https://a.example/b)', '"[a](",link(https://a.example/b)["https://a.example/b"],")"'],
    ['[a\\](https://a.example/b)', '"[a](",link(https://a.example/b)["https://a.example/b"],")"'],
    ['[a [b\\] c](https://a.example/b)', 'link(https://a.example/b)["a [b\\\\] c"]'],
    ['\\![a](https://a.example/b)', '"![a](",link(https://a.example/b)["https://a.example/b"],")"'],
    ['\\```\na\n\\```', '"```\\na\\n```"'],
    ['\\# a', '"# a"'],
    ['\\- a', '"- a"'],
    ['\\> a', '"> a"'],
    ['1\\. a', '"1. a"'],
    ['a\n\\---', '"a\\n---"'],
    ['\\:smile:', '":smile:"'],
  ])('unless they keep signs from meaning something: %j', (body, expected) => {
    expect(read(body)).toBe(`paragraph[${expected}]`);
  });

  test('before a sign that means nothing there', () => {
    asTyped('\\\\server\\share\\_docs');
    asTyped('a\\_b\\*c');
  });

  test('in a table, unless a bar follows', () => {
    expect(read('| a \\| b | C:\\x |\n|---|---|')).toBe('table["a | b"|"C:\\\\x"]');
  });
});

describe('signs alone, and signs that nothing follows, are text', () => {
  test.each([
    '>', '> ', '>>>', '#', '##', '# ', '# #', '---', '***', '___', '* * *', '---\n---', '-', '+', '*', '**', '****', '_', '__', '~', '~~', '~~~', '`', '``', '```', '` `', '```\n```', '```\n\n```', '1.', '1)', '1. ',
    '|', '||', '| |\n|-|', '|\n|-|', '[]', '[ ]', '- [ ]'.slice(2), '[]()', '[](https://x)'.slice(0, 4), '!', '![', '\\', '@', ':', '::', '<', '<>', '** **', '**\u200b**', '-\n-', '1.\n2.\n4.\n5.', '+ 1', '+1', '-1', '->', '=>', '<-', '...', '*\n*',
  ])('%j', (body) => expect(plain(body)).toBe(body.replace(/\s+/g, ' ').replaceAll('  ', ' ').trim()));

  test.each(['>', '#', '---', '***', '-', '+', '*', '```', '```\n```', '```js\n```', '```\n\u200b\n```', '1.\n2.'])('%j is drawn so', asTyped);

  test('in a list or a quote too', () => {
    expect(read('- a\n- ---')).toBe('list[paragraph["a"]; paragraph["---"]]');
    expect(read('> ---')).toBe('quote[paragraph["---"]]');
    expect(read('a\n\n---\n\nb')).toBe('paragraph["a"] rule paragraph["b"]');
  });
});

describe('signs within words are text', () => {
  test.each([
    '__init__.py', 'see __init__.py and __main__.py', '2*3*4 = 24', '2 * 3 * 4', 'a*b*c', '2**3**4', '>_<', '>.< >:( >w<', '>>> print(1)', 'snake_case_name', 'a_b_c_', 'SELECT t.*, u.* FROM t', '*.c *.h', '*.txt, *.md', '*/5 * * * *',
    'src/**/*.ts and lib/**/*.js', '**/*.ts', '/*comment*/', '/* a */ b /* c */', '**/node_modules/**', 'ls *.txt *.md /tmp/*_*', '/** doc **/', 'f(*args, **kwargs)', 'void(*)(int*,char*)', 'int *a, *b;', 'char **argv', '~/bin and ~/lib', '5~10~20', '~5, ~6', 'git commit --amend', 'a__b__c', '_private, _other', 'x_1*y_2', '.*foo.*', 'M*A*S*H',
    'C# and F#', '#hashtag', '#1', '>50%', '-5', '5 > 3', 'a|b', 'a | b', '3. 2. 1. Go!', '1. 2. 2024', '2024-01-01', '- - a', '01. a', '&lt;b&gt; &amp;', '<b>a</b>', '12:30:45', '10:100:20', 'std::map::iterator', 'a:smile:b', ':nonsense:', 'f`', '$HOME/*_x', '*_*', '^_^ *_* -_-', 'o_O', '(*^_^*)', '\\o/', ':*', ':-*', '*-*', '*...*', '(*^o^*)', '5* hotel, 4* hotel',
  ])('%j', asTyped);

  test.each([
    ['这是**重点**内容', '"这是",strong["重点"],"内容"'],
    ['**注意**：看', 'strong["注意"],"：看"'],
    ['**강조**는', 'strong["강조"],"는"'],
    ['x＝**3**', '"x＝",strong["3"]'],
    ['**note:** a', 'strong["note:"]," a"'],
    ['**Docker**-based', 'strong["Docker"],"-based"'],
    ['(*a*), "_b_", *c*.', '"(",em["a"],"), \\"",em["b"],"\\", ",em["c"],"."'],
    ['***a***', 'em[strong["a"]]'],
    ['**_a_** _**b**_', 'strong[em["a"]]," ",em[strong["b"]]'],
    ['*a **b***', 'em["a ",strong["b"]]'],
    ['***a** b*', 'em[strong["a"]," b"]'],
    ['~a~ ~~b~~', 'del["a"]," ",del["b"]'],
    ["*Alice*'s", "em[\"Alice\"],\"'s\""],
    ['**a*', '"**a*"'],
    ['_@bob_ please', 'em[mention(@bob)]," please"'],
    ['**`a`**', 'strong[code(a)]'],
    ['😀**a**😀', '"😀",strong["a"],"😀"'],
    ['**a\nb**', 'strong["a\\nb"]'],
  ])('but not around them: %j', (body, expected) => {
    expect(read(body)).toBe(`paragraph[${expected}]`);
  });
});

describe('indentation and lines stay', () => {
  test.each(['def f():\n    return 1', '    a\n  b', 'a\n\tb', 'a\n      - - b', ' /\\_/\\\n( o.o )\n > ^ <', 'a  b', 'key:\n  value'])('%j', asTyped);

  test('in lists and code', () => {
    expect(read('- a\n    b')).toBe('list[paragraph["a\\n  b"]]');
    expect(read('```\n  a\n    b\n```')).toBe('fence:(  a\n    b)');
    expect(read('- ```\n  a\n    b\n  ```')).toBe('list[fence:(a\n  b)]');
  });

  test('each line stands for itself', () => {
    expect(read('> a\nb')).toBe('quote[paragraph["a"]] paragraph["b"]');
    expect(read('- a\nb')).toBe('list[paragraph["a"]] paragraph["b"]');
    expect(read('| a |\n|---|\n| 1 |\nb')).toBe('table["a"; "1"] paragraph["b"]');
    expect(read('> a\n>\n> b')).toBe('quote[paragraph["a"],paragraph["b"]]');
  });

  test('what stands behind a fence but names no language is code', () => {
    expect(read('```hello world\na\n```')).toBe('fence:(hello world\na)');
    expect(read('```c++\na\n```')).toBe('fence:c++(a)');
    expect(read('```a```')).toBe('paragraph[code(a)]');
  });
});

describe('lists', () => {
  test.each([
    ['1. a\n2. b\n4. c\n5. d', '1. paragraph["a"]; 2. paragraph["b"]; 4. paragraph["c"]; 5. paragraph["d"]'],
    ['0. zero\n1. one', '0. paragraph["zero"]; 1. paragraph["one"]'],
    ['3. c\n2. b\n1. a', '3. paragraph["c"]; 2. paragraph["b"]; 1. paragraph["a"]'],
    ['1. a\n1. b', '1. paragraph["a"]; 1. paragraph["b"]'],
    ['7) a\n8) b', '7) paragraph["a"]; 8) paragraph["b"]'],
    ['1. a\n\n2. b', '1. paragraph["a"]; 2. paragraph["b"]'],
    ['1. a\n  - b\n  - c\n2. d', '1. paragraph["a"],list[paragraph["b"]; paragraph["c"]]; 2. paragraph["d"]'],
    ['- a\n  - b\n    - c\n- d', 'paragraph["a"],list[paragraph["b"],list[paragraph["c"]]]; paragraph["d"]'],
    ['1. a\n  - b\n    - c', '1. paragraph["a"],list[paragraph["b"],list[paragraph["c"]]]'],
    ['- a\n\n  b\n- c', 'paragraph["a"],paragraph["b"]; paragraph["c"]'],
    ['- [ ] a\n- [x] b\n- [ ]', 'falseparagraph["a"]; trueparagraph["b"]; paragraph["[ ]"]'],
  ])('keep their numbers: %j', (body, expected) => expect(read(body)).toBe(`list[${expected}]`));

  test('show them in previews', () => {
    expect(plain('2026. a good year\n2027. a better one')).toBe('2026. a good year 2027. a better one');
  });
});

describe('links', () => {
  const plainLink = (href: string) => `link(${href})[${JSON.stringify(href)}]`;

  test.each([
    ['请看https://a.example/b。谢谢', '"请看"', 'https://a.example/b', '"。谢谢"'],
    ['（https://a.example/b）', '"（"', 'https://a.example/b', '"）"'],
    ['https://a.example/b，很好', '', 'https://a.example/b', '"，很好"'],
    ['“https://a.example/b”', '"“"', 'https://a.example/b', '"”"'],
    ['«https://a.example/b»', '"«"', 'https://a.example/b', '"»"'],
    ['‘https://a.example/b’s', '"‘"', 'https://a.example/b', '"’s"'],
    ['https://a.example/b…', '', 'https://a.example/b', '"…"'],
    ['https://a.example/b—c', '', 'https://a.example/b', '"—c"'],
    ['「https://a.example/b」', '"「"', 'https://a.example/b', '"」"'],
    ['https://a.example/b、https', '', 'https://a.example/b', '"、https"'],
    ['https://a.example/b！', '', 'https://a.example/b', '"！"'],
    ['https://a.example/b\u3000c', '', 'https://a.example/b', '"\u3000c"'],
    ['https://a.example/b\u202ec', '', 'https://a.example/b', '"\u202ec"'],
    ['https://a.example/b).', '', 'https://a.example/b', '")."'],
    ['(https://a.example/b)', '"("', 'https://a.example/b', '")"'],
    ['"https://a.example/b"', '"\\""', 'https://a.example/b', '"\\""'],
    ["'https://a.example/b'", '"\'"', 'https://a.example/b', '"\'"'],
    ['https://a.example/b?!', '', 'https://a.example/b', '"?!"'],
    ['\\"https://a.example/b\\"', '"\\\\\\""', 'https://a.example/b', '"\\\\\\""'],
    ['https://zh.wikipedia.org/wiki/北京', '', 'https://zh.wikipedia.org/wiki/北京', ''],
    ['https://zh.wikipedia.org/wiki/史蒂夫·乔布斯', '', 'https://zh.wikipedia.org/wiki/史蒂夫·乔布斯', ''],
    ['https://en.wikipedia.org/wiki/A_(b)', '', 'https://en.wikipedia.org/wiki/A_(b)', ''],
    ['https://[2001:db8::1]:8080/x', '', 'https://[2001:db8::1]:8080/x', ''],
    ['[https://[2001:db8::1]/x]', '"["', 'https://[2001:db8::1]/x', '"]"'],
    ['https://例え.jp/パス', '', 'https://例え.jp/パス', ''],
    ['https://مثال.example/مسار', '', 'https://مثال.example/مسار', ''],
    ['https://a.example/*x*', '', 'https://a.example/*x*', ''],
    ['https://a.example/__init__.py', '', 'https://a.example/__init__.py', ''],
    ['https://a.example/~x~/_y_', '', 'https://a.example/~x~/_y_', ''],
    ['https://a.example/b_', '', 'https://a.example/b_', ''],
    ['http://localhost:8080/a#b', '', 'http://localhost:8080/a#b', ''],
    ['HTTPS://A.EXAMPLE/b', '', 'HTTPS://A.EXAMPLE/b', ''],
    ['https://a.example/@bob/x', '', 'https://a.example/@bob/x', ''],
    ['https://a.example/:smile:/', '', 'https://a.example/:smile:/', ''],
  ])('%j', (body, before, href, after) => {
    expect(read(body)).toBe(`paragraph[${[before, plainLink(href), after].filter(Boolean).join(',')}]`);
  });

  test.each([
    ['**https://a.example/b**', `strong[${plainLink('https://a.example/b')}]`],
    ['**https://a.example/b**很好', `strong[${plainLink('https://a.example/b')}],"很好"`],
    ['*https://a.example/*x**', `em[${plainLink('https://a.example/*x*')}]`],
    ['_https://a.example/a_b_', `em[${plainLink('https://a.example/a_b')}]`],
    ['www.a.example/b', 'link(http://www.a.example/b)["www.a.example/b"]'],
    ['a_b@c.example.', 'link(mailto:a_b@c.example)["a_b@c.example"],"."'],
    ['邮箱a@c.example，', '"邮箱",link(mailto:a@c.example)["a@c.example"],"，"'],
    ['https://a.example/b,https://c.example', `${plainLink('https://a.example/b')},",",${plainLink('https://c.example')}`],
    ['https://a.example/b/https://c.example', plainLink('https://a.example/b/https://c.example')],
    ['mail:a@b.example', '"mail:",link(mailto:a@b.example)["a@b.example"]'],
    ['<https://a.example/b>', plainLink('https://a.example/b')],
    ['[https://a.example](https://b.example)', 'link(https://b.example)["https://a.example"]'],
    ['[**a** `b`](https://a.example/(c))', 'link(https://a.example/(c))[strong["a"]," ",code(b)]'],
    ['[a](https://a.example "title")', 'link(https://a.example)["a"]'],
    ['*a [b* c](https://a.example)', '"*a ",link(https://a.example)["b* c"]'],
    ['[![a](https://b.example/c.png)](https://d.example)', 'link(https://d.example)["a"]'],
    ['[a [b](https://c.example) d](https://e.example)', `"[a ",link(https://c.example)["b"]," d](",${plainLink('https://e.example')},")"`],
    ['[profile](https://medium.com/@bob)', 'link(https://medium.com/@bob)["profile"]'],
  ])('%j too', (body, expected) => expect(read(body)).toBe(`paragraph[${expected}]`));

  test.each(['https://', 'https://。', 'xhttps://a.example', 'www.', 'git@github.com:a/b', 'ssh://git@a.example/b', 'ftp://me:secret@a.example', 'ftp://a.example', '[a](b)', '[a]()', 'a@b', 'https://[::1'])('%j is none', asTyped);
});

test('stars around an address end with it, those within it stay', () => {
  expect(read('**https://a.example/b**')).toBe('paragraph[strong[link(https://a.example/b)["https://a.example/b"]]]');
  expect(read('https://a.example/*x*')).toBe('paragraph[link(https://a.example/*x*)["https://a.example/*x*"]]');
});

describe('tables', () => {
  test('of more columns than anybody reads are text', () => {
    const line = (cell: string) => Array<string>(60).fill(cell).join('|');
    expect(parse(`${line('a')}\n${line('-')}`)[0]).toMatchObject({ kind: 'paragraph' });
  });

  test('keep their alignment and all that was typed', () => {
    expect(parse('| a | b | c | d |\n|---|:--|:-:|--:|\n| 1 | 2 |\n| 1 | 2 | 3 | 4 | 5 |')[0]).toMatchObject({ align: [undefined, 'left', 'center', 'right'] });
    expect(read('| a |\n|---|\n| 1 | 2 |')).toBe('table["a"; "1"|"2"]');
    expect(read('a | b\n--- | ---\n1 | 2')).toBe('table["a"|"b"; "1"|"2"]');
  });
});

describe('names of emoji', () => {
  test.each([
    [':smile:', '😄'],
    ['ok :+1:!', 'ok 👍!'],
    [':tada::tada:', '🎉🎉'],
    [':wave::skin-tone-3:', '👋🏼'],
    ['你好:smile:你好', '你好😄你好'],
    [':heart:', '❤️'],
    ['(:smile:)', '(😄)'],
  ])('%j', (body, expected) => {
    expect(read(body)).toBe(`paragraph["${expected}"]`);
    expect(plain(body, emoji)).toBe(expected);
  });

  test('stay in code', () => {
    expect(read('`:smile:`')).toBe('paragraph[code(:smile:)]');
  });
});

describe('the direction', () => {
  test.each([
    ['hello שלום', 'ltr'],
    ['שלום hello', 'rtl'],
    ['12 - مرحبا', 'rtl'],
    ['你好', 'ltr'],
    ['𞤀𞤣𞤤𞤢𞤥', 'rtl'],
    ['1, 2!', undefined],
  ])('of %j is that of its first letter', (text, expected) => expect(direction(text)).toBe(expected));

  test('of a block is that of its first words, not of its code', () => {
    expect(directionOf(parse('- **12**\n- _שלום_')[0]!)).toBe('rtl');
    expect(directionOf(parse('| 1 |\n|---|\n| hello |')[0]!)).toBe('ltr');
    expect(directionOf(parse('```\na\n```')[0]!)).toBe(undefined);
  });

  test('of what stands around a name is not turned by it', () => {
    const user = (id: string, name: string) => [id, { id, username: id, display_name: name, status_text: '', created_at: '' }] as const;
    const users = new Map([user('e', 'Evil\u202e'), user('m', 'محمد'), user('b', 'Bob')]);
    expect(userName(users, 'e')).toBe('Evil');
    expect(isolated('Bob\u2066')).toBe('Bob');
    const group = { kind: 'group', member_ids: ['e', 'm', 'b'], member_count: 3 } as never;
    expect(chatTitle(group, users, 'me', { list: (names: readonly string[]) => names.join(', '), andMore: String } as never)).toBe('Evil, \u2068محمد\u2069, Bob');
  });
});

test('names of emoji stand for the emoji, not for the sign that some are', () => {
  expect(byName({ '2764': ['heart', 'red_heart'], '1F604': 'smile', '1F1E9-1F1EA': 'de' })).toEqual([['heart', '❤️'], ['red_heart', '❤️'], ['smile', '😄'], ['de', '🇩🇪']]);
});
