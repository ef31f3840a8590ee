import { charAt, charBefore, inWord, isBlank, isUnspaced } from './letters';

/** A run of one of `*`, `_` and `~`, which may begin or end an emphasis. */
export interface Run {
  readonly kind: 'run';
  readonly char: string;
  /** The run as it was typed. */
  readonly text: string;
  /** How many marks it has, backslashes not counted. */
  readonly length: number;
  /** Whether a backslash stands before one of its marks. */
  readonly escaped: boolean;
  readonly opens: boolean;
  readonly closes: boolean;
}

const runs: Readonly<Record<string, RegExp>> = { '*': /(?:\\?\*)+/y, _: /(?:\\?_)+/y, '~': /(?:\\?~)+/y };
/** What may stand before and after an emphasis besides white space and letters without spaces. */
const opening = /[\p{Ps}\p{Pi}\p{Pf}"'`\p{Emoji_Modifier}]|(?!\p{ASCII})[\p{P}\p{So}\p{Sm}\p{Sc}]/u;
const closing = /[\p{Pe}\p{Pi}\p{Pf}"'`\p{Emoji_Modifier}]|(?!\p{ASCII})[\p{P}\p{So}\p{Sm}\p{Sc}]/u;
const sentence = /[.,;:!?]/;
/** More of them for `**` and `~~`, which names of files and variables do not contain. */
const nextToStrong = /[-:,;!?]/;

/**
 * The run that begins at a mark, or at a backslash before one. An emphasis needs a boundary of
 * words around it, and words within, so that `2*3*4`, `__init__.py` and `*.txt` have none.
 */
export function runAt(text: string, from: number): Run {
  const char = text[from] === '\\' ? text[from + 1]! : text[from]!;
  const pattern = runs[char]!;
  pattern.lastIndex = from;
  const found = pattern.exec(text)![0];
  const [end, length] = [from + found.length, found.replaceAll('\\', '').length];
  const fits = length <= (char === '~' ? 2 : 3);
  const strong = length > 1 && char !== '_';
  const before = charBefore(text, beyond(text, from, -1));
  const behind = beyond(text, end, 1);
  const [after, next] = [charAt(text, behind), charAt(text, behind + 1)];
  const ends = (char: string) => isBlank(char) || isUnspaced(char) || (strong && nextToStrong.test(char));
  const path = after === '/' || (after === '.' && !strong && inWord(next));
  const opens = fits && (ends(before) || opening.test(before)) && !isBlank(after) && !/[)\]},;^]/.test(after) && !path;
  const follows = ends(after) || closing.test(after) || (sentence.test(after) && !inWord(next));
  const closes = fits && follows && !isBlank(before) && !/[([{^]/.test(before);
  return { kind: 'run', char, text: found, length, escaped: found.length > length, opens, closes };
}

/** The index beyond other runs next to this one, if they are few. */
function beyond(text: string, from: number, step: 1 | -1): number {
  let at = from;
  for (let i = 0; i < 6; i++) {
    const char = step > 0 ? text[at] : text[at - 1];
    const escapes = char === '\\' && '*_~'.includes(text[step > 0 ? at + 1 : at] || ' ');
    if (!char || !('*_~'.includes(char) || escapes)) break;
    at += step;
  }
  return at;
}
