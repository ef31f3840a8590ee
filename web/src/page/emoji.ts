/** The emoji of a language's picker: read when first asked for, never with the page. */

export interface Emoji {
  readonly emoji: string;
  readonly label: string;
  /** Label and tags in lower case, for finding. */
  readonly words: string;
}

export interface EmojiGroup {
  /** The number of the group in Unicode's order. */
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

/** Parts of emoji (skin tones, hair) are no emoji of their own. */
const components = 2;

const sources: Readonly<Record<string, () => Promise<{ default: unknown }>>> = {
  en: () => import('emojibase-data/en/compact.json'),
  zh: () => import('emojibase-data/zh/compact.json'),
};

/** Reads the emoji with names in a language. Rejects when they cannot be fetched. */
export async function loadEmoji(language: string): Promise<readonly EmojiGroup[]> {
  const { default: all } = await (sources[language] ?? sources['en']!)();
  return grouped(all as Compact[]);
}

/** In groups, in Unicode's order. Pure. */
export function grouped(all: readonly Compact[]): EmojiGroup[] {
  const groups = new Map<number, Emoji[]>();
  for (const { unicode, label, tags = [], group } of [...all].sort((a, b) => (a.order ?? 0) - (b.order ?? 0))) {
    if (group === undefined || group === components) continue;
    const emoji = { emoji: unicode, label, words: [label, ...tags].join(' ').toLowerCase() };
    groups.set(group, [...(groups.get(group) ?? []), emoji]);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([id, emojis]) => ({ id, emojis }));
}

/** Those whose words begin with what was typed, or hold it when nothing begins so. Pure. */
export function findEmoji(groups: readonly EmojiGroup[], query: string): readonly EmojiGroup[] {
  const text = query.trim().toLowerCase();
  if (!text) return groups;
  const matching = (test: (words: string) => boolean) =>
    groups
      .map(({ id, emojis }) => ({ id, emojis: emojis.filter(({ words }) => test(words)) }))
      .filter(({ emojis }) => emojis.length > 0);
  const begun = matching((words) => ` ${words}`.includes(` ${text}`));
  return begun.length > 0 ? begun : matching((words) => words.includes(text));
}
