/** Kinds of letters that decide where words, links and lines begin and end. Pure. */

/** Scripts that are written without spaces between words, or, as Korean, with endings attached. */
const unspaced = /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Bopo}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}\p{scx=Tibt}]/u;
const wordly = /[\p{L}\p{M}\p{N}]/u;
/** First in blocks of scripts from right to left: Hebrew, Arabic, Syriac, Thaana, N’Ko, Adlam … */
const rightward = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const firstLetter = /\p{L}/u;
/** Controls that turn the direction of all that follows. */
const turns = /[\u202a-\u202e\u2066-\u2069]/g;

/** White space, and characters that draw as little. */
const nothing = /^[\s\p{Z}\p{Cc}\p{Cf}\p{DI}\u2800]*$/u;

/** Reports whether a text would draw nothing. */
export const isBlank = (text: string): boolean => nothing.test(text);

/** Reports whether a character continues a word, so that no word ends before or begins after it. */
export const inWord = (char: string): boolean => wordly.test(char) && !unspaced.test(char);

/** Reports whether a letter belongs to a script whose words are told apart without spaces. */
export const isUnspaced = (char: string): boolean => unspaced.test(char);

/** The character that ends before an index; '' at the beginning. */
export function charBefore(text: string, at: number): string {
  const char = text.charAt(at - 1);
  return at > 1 && /[\udc00-\udfff]/.test(char) ? text.slice(at - 2, at) : char;
}

/** The character at an index; '' at the end. */
export function charAt(text: string, at: number): string {
  const code = text.codePointAt(at);
  return code === undefined ? '' : String.fromCodePoint(code);
}

/** The direction of a text, by its first letter; undefined without one. */
export function direction(text: string): 'ltr' | 'rtl' | undefined {
  const letter = firstLetter.exec(text)?.[0];
  if (!letter) return undefined;
  return rightward.test(letter) ? 'rtl' : 'ltr';
}

/** A text without controls that turn the direction of what stands around it. */
export const unturned = (text: string): string => text.replace(turns, '');

/** A text that, within another, neither turns its direction nor is turned by it. */
export function isolated(text: string): string {
  const own = unturned(text);
  return rightward.test(own) ? `\u2068${own}\u2069` : own;
}
