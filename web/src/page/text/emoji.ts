import { fold } from './fold';

/** The emoji for the picker, by language. Loaded when first needed, not with the page. */

export interface Emoji {
  readonly emoji: string;
  readonly label: string;
  /** Label and tags, folded, to search in. */
  readonly words: string;
}

export interface EmojiGroup {
  /** The group's number in Unicode's order. */
  readonly id: number;
  readonly emojis: readonly Emoji[];
}

interface Compact {
  unicode: string;
  label: string;
  tags?: string[];
  group?: number;
  order?: number;
}

/** The group of emoji parts (skin tones, hair), which are not emoji themselves. */
const components = 2;

const sources: Readonly<Record<string, () => Promise<{ default: unknown }>>> = {
  en: () => import('emojibase-data/en/compact.json'),
  zh: () => import('emojibase-data/zh/compact.json'),
};

/** Loads the emoji with names in a language. Rejects if they cannot be fetched. */
export async function loadEmoji(language: string): Promise<readonly EmojiGroup[]> {
  const { default: all } = await (sources[language] ?? sources['en']!)();
  return grouped(all as Compact[]);
}

/** Groups emoji, in Unicode's order. Pure. */
export function grouped(all: readonly Compact[]): EmojiGroup[] {
  const groups = new Map<number, Emoji[]>();
  for (const { unicode, label, tags = [], group } of [...all].sort((a, b) => (a.order ?? 0) - (b.order ?? 0))) {
    if (group === undefined || group === components) continue;
    const emoji = { emoji: unicode, label, words: fold([label, ...tags].join(' ')) };
    groups.set(group, [...(groups.get(group) ?? []), emoji]);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([id, emojis]) => ({ id, emojis }));
}

const bare = (emoji: string) => emoji.replaceAll('\ufe0f', '');

/**
 * The emoji that a query finds, best first, in one group; all groups without a query. The names
 * that people write between colons count as well. Pure.
 */
export function findEmoji(groups: readonly EmojiGroup[], query: string, names: ReadonlyMap<string, string> = new Map()): readonly EmojiGroup[] {
  const text = fold(query.trim().replace(/^:|:$/g, ''));
  if (!text) return groups;
  const named = namedRanks(text, names);
  const found = groups
    .flatMap(({ emojis }) => emojis)
    .map((emoji) => ({ emoji, rank: Math.min(rankOf(emoji, text), named.get(bare(emoji.emoji)) ?? none) }))
    .filter(({ rank }) => rank < none)
    .sort((a, b) => a.rank - b.rank);
  // Who looks for tea wants no steak, as long as there is tea.
  const last = found.some(({ rank }) => rank < within) ? within : none;
  const emojis = found.filter(({ rank }) => rank < last).map(({ emoji }) => emoji);
  return emojis.length > 0 ? [{ id: foundGroup, emojis }] : [];
}

/** The group of what was found, which has no title. */
export const foundGroup = -1;
const within = 6;
const none = 9;

/** From 0, which is what was typed, to where it is within a word. */
function rankOf({ label, words }: Emoji, text: string): number {
  const called = fold(label);
  if (called === text) return 0;
  // The last word says what it is: "red heart" is a heart, "heart with arrow" less so.
  if (called.endsWith(` ${text}`)) return 2;
  if (called.startsWith(text)) return 3;
  if (` ${words} `.includes(` ${text} `)) return 4;
  if (` ${words}`.includes(` ${text}`)) return 5;
  return words.includes(text) ? within : none;
}

/** The ranks of emoji by what they are called between colons. */
function namedRanks(text: string, names: ReadonlyMap<string, string>): ReadonlyMap<string, number> {
  const wanted = text.replaceAll(' ', '_');
  const ranks = new Map<string, number>();
  for (const [name, emoji] of names) {
    if (!name.startsWith(wanted)) continue;
    ranks.set(bare(emoji), Math.min(name === wanted ? 1 : 4, ranks.get(bare(emoji)) ?? none));
  }
  return ranks;
}
