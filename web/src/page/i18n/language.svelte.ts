import type { Preferences } from '../state/preferences.svelte';
import { en, type Texts } from './en';

interface Loaded {
  readonly texts: Texts;
  readonly locale: string;
}

const english: Loaded = { texts: en, locale: 'en' };
/** How the texts of each language come; those of English are always there. */
const loaders: Readonly<Record<string, () => Promise<Loaded>>> = {
  en: () => Promise.resolve(english),
  zh: () => import('./zh').then(({ zh }) => ({ texts: zh, locale: 'zh-CN' })),
};

/**
 * The language of the page: the chosen one, else the first of the browser's languages that the page
 * has, else English; English as well until the texts are loaded. Each has the type of `en.ts`, so a
 * missing text does not compile.
 */
export class Language {
  private loaded = $state.raw<Readonly<Record<string, Loaded>>>({ en: english });

  constructor(private readonly preferences: Preferences) {}

  /** `en` or `zh`. */
  get name(): string {
    const chosen = this.preferences.language;
    if (chosen !== 'system') return chosen;
    return navigator.languages.map((tag) => tag.split('-')[0]!).find((tag) => tag in loaders) ?? 'en';
  }

  get texts(): Texts {
    return (this.loaded[this.name] ?? english).texts;
  }

  /** The locale for dates and numbers: the browser's variant of the language, if it has one. */
  get locale(): string {
    return navigator.languages.find((tag) => tag.startsWith(this.name)) ?? (this.loaded[this.name] ?? english).locale;
  }

  /** Loads the texts of the language. Rejects if they cannot be loaded: English is shown. */
  async load(): Promise<void> {
    const { name } = this;
    if (!this.loaded[name]) this.loaded = { ...this.loaded, [name]: await loaders[name]!() };
  }
}
