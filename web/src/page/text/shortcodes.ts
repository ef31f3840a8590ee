/** The names of emoji that people write between colons, as on GitHub and in Slack. */

type Names = Readonly<Record<string, string | readonly string[]>>;

/** Loads them, by name. Rejects if they cannot be fetched. */
export async function loadShortcodes(): Promise<ReadonlyMap<string, string>> {
  const [slack, github] = await Promise.all([import('emojibase-data/en/shortcodes/iamcal.json'), import('emojibase-data/en/shortcodes/github.json')]);
  return new Map([...byName(slack.default as Names), ...byName(github.default as Names)]);
}

/** Turns a table of names by hexadecimal code points into one of emoji by name. Pure. */
export function byName(names: Names): [string, string][] {
  return Object.entries(names).flatMap(([code, known]) => [known].flat().map((name): [string, string] => [name, emojiOf(code)]));
}

/** The emoji, not the sign of old that some of them are without a selector. */
function emojiOf(code: string): string {
  const text = String.fromCodePoint(...code.split('-').map((point) => parseInt(point, 16)));
  return /^\p{RGI_Emoji}$/v.test(text) ? text : `${text}\ufe0f`;
}
