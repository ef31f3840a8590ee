export type Theme = 'system' | 'light' | 'dark';
export type LanguageChoice = 'system' | 'en' | 'zh';

interface Values {
  theme: Theme;
  language: LanguageChoice;
  /** Whether to tell of new messages by the desktop's own means. */
  notify: boolean;
}

const key = 'fechatter.preferences';
const defaults: Values = { theme: 'system', language: 'system', notify: false };

/** What a person likes on this device. A browser without storage forgets it with the page. */
export class Preferences {
  private values = $state.raw<Values>(read());

  get theme(): Theme {
    return this.values.theme;
  }
  get language(): LanguageChoice {
    return this.values.language;
  }
  get notify(): boolean {
    return this.values.notify;
  }

  set(change: Partial<Values>): void {
    this.values = { ...this.values, ...change };
    try {
      localStorage.setItem(key, JSON.stringify(this.values));
    } catch {
      // Kept for as long as the page lives.
    }
  }
}

function read(): Values {
  try {
    return { ...defaults, ...JSON.parse(localStorage.getItem(key) ?? '{}') };
  } catch {
    return defaults;
  }
}
