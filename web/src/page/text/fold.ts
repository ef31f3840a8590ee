/**
 * The form in which texts are compared to find something: without differences that people do not
 * type. The same as package fold of the server, with the same cases (fold/testdata/cases.json). Pure.
 */

const accent = /(?![\u3099\u309A])(?=[\p{Script=Inherited}\p{Script=Arabic}\p{Script=Hebrew}])\p{M}/gu;
const formatOrTatweel = /[\p{Cf}\u0640]/gu;
const blanks = /\p{White_Space}+/gu;

const spelled: Readonly<Record<string, string>> = {
  ß: 'ss', ø: 'o', ł: 'l', đ: 'd', ð: 'd', ħ: 'h', ı: 'i', æ: 'ae', œ: 'oe', þ: 'th', ς: 'σ',
  ٱ: 'ا', ى: 'ي', ی: 'ي', ے: 'ي', ې: 'ي', ک: 'ك', ڪ: 'ك', ة: 'ه', ہ: 'ه', ھ: 'ه', ۃ: 'ه', ە: 'ه',
  '‘': "'", '’': "'", '‛': "'", '′': "'",
  '‐': '-', '‒': '-', '–': '-', '—': '-', '―': '-', '−': '-',
};

export function fold(text: string): string {
  if (/^[ -\x7f]*$/.test(text) && !text.includes('  ')) return text.toLowerCase();
  const plain = text.normalize('NFKD').replace(accent, '').replace(formatOrTatweel, '').replace(blanks, ' ');
  const lower = Array.from(plain, lowerOf).map((char) => spelled[char] ?? char).join('');
  return lower.replace(/\p{Nd}/gu, digit).normalize('NFC');
}

/** One letter in lower case, without regard to its neighbours: a final sigma is one wherever it stands. */
const lowerOf = (char: string) => char.toLowerCase();

/** The ASCII digit of a decimal digit in any script: each script has its ten digits in a row. */
function digit(char: string): string {
  const code = char.codePointAt(0)!;
  if (code < 0x80) return char;
  let value = 0;
  while (/\p{Nd}/u.test(String.fromCodePoint(code - value - 1))) value++;
  return String(value % 10);
}

/** Reports whether a text contains what was typed. */
export const holds = (text: string, typed: string): boolean => fold(text).includes(fold(typed.trim()));

/** Reports whether a text, or a word of it, begins with what was typed. */
export const begins = (text: string, typed: string): boolean => ` ${fold(text)}`.includes(` ${fold(typed)}`);
