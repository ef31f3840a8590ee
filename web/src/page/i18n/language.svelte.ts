import type { Preferences } from '../preferences.svelte';
import { en, type Texts } from './en';
import { zh } from './zh';

const languages: Readonly<Record<string, { texts: Texts; locale: string }>> = {
  en: { texts: en, locale: 'en' },
  zh: { texts: zh, locale: 'zh-CN' },
};

/**
 * The language of the page: the chosen one, else the first of the browser's that the page speaks, else
 * English. A language is an object of the type of `en.ts`: what lacks a text does not compile.
 */
export class Language {
  constructor(private readonly preferences: Preferences) {}

  /** `en` or `zh`. */
  get name(): string {
    const chosen = this.preferences.language;
    if (chosen !== 'system') return chosen;
    return navigator.languages.map((tag) => tag.split('-')[0]!).find((tag) => tag in languages) ?? 'en';
  }

  get texts(): Texts {
    return languages[this.name]!.texts;
  }

  /** For dates and numbers: the browser's own variant of the language where it has one. */
  get locale(): string {
    return navigator.languages.find((tag) => tag.startsWith(this.name)) ?? languages[this.name]!.locale;
  }
}
