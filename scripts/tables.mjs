#!/usr/bin/env node
// Makes the tables that the program embeds from the data of others:
//   tables.mjs emoji                   chat/emoji.txt, from the emoji of the page
//   tables.mjs confusables FILE        lookalike/confusables.txt, from Unicode's confusables.txt (UTS #39)
//   tables.mjs passwords FILE...       password/common.txt, from lists, one password a line, the most common first
// Every table is lines in the order of their bytes, which is that of code points.
import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('..', import.meta.url);
const read = (file) => readFileSync(file, 'utf8').replaceAll('\r', '').split('\n').filter(Boolean);

const [table, ...files] = process.argv.slice(2);
const makers = {
  // What people react with, without the selector of the coloured form. Parts (skin tones, hair) have no group.
  emoji: () => {
    const all = JSON.parse(readFileSync(new URL('web/node_modules/emojibase-data/en/data.json', root)));
    const shown = all.filter(({ group }) => group !== undefined && group !== 2).flatMap((one) => [one, ...(one.skins ?? [])]);
    return ['chat/emoji.txt', shown.map(({ hexcode }) => text(hexcode.split('-')).replaceAll('\ufe0f', ''))];
  },
  // A character, a tab, and what it looks like.
  confusables: () => {
    const rows = read(files[0]).filter((line) => /^\ufeff?[0-9A-F]/.test(line)).map((line) => line.split(';'));
    return ['lookalike/confusables.txt', rows.map(([from, to]) => `${text(from.replace('\ufeff', '').trim().split(' '))}\t${text(to.trim().split(' '))}`)];
  },
  // The first 100,000 of each, in lower case, without what is refused as too short anyway.
  passwords: () => {
    const common = files.flatMap((file) => read(file).slice(0, 100_000)).map((word) => word.trim().toLowerCase());
    return ['password/common.txt', common.filter((word) => /^[!-~ ]{8,}$/.test(word))];
  },
};

const [file, lines] = makers[table]();
const sorted = [...new Set(lines)].map((line) => Buffer.from(line)).sort(Buffer.compare);
writeFileSync(new URL(file, root), sorted.map((line) => `${line}\n`).join(''));

function text(points) {
  return String.fromCodePoint(...points.map((point) => parseInt(point, 16)));
}
