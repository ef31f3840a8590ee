export type Theme = 'system' | 'light' | 'dark';
/** How many lines each chat takes in the sidebar. */
export type Density = 'auto' | 'one' | 'two';
export type LanguageChoice = 'system' | 'en' | 'zh';

interface Values {
  theme: Theme;
  language: LanguageChoice;
  /** Whether to show desktop notifications for new messages. */
  notify: boolean;
  density: Density;
  /** Whether others see the time on the user's clock. */
  zone: boolean;
  /** The sections of the sidebar that the user has folded, true, or unfolded. */
  folded: Readonly<Record<string, boolean>>;
}

const key = 'fechatter.preferences';
const defaults: Values = { theme: 'system', language: 'system', notify: false, density: 'auto', zone: true, folded: {} };

/** The user's preferences on this device. Without browser storage they last as long as the page. */
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

  get zone(): boolean {
    return this.values.zone;
  }
  get density(): Density {
    return this.values.density;
  }
  get folded(): Readonly<Record<string, boolean>> {
    return this.values.folded;
  }

  set(change: Partial<Values>): void {
    this.values = { ...this.values, ...change };
    try {
      localStorage.setItem(key, JSON.stringify(this.values));
    } catch {
      // Without storage, preferences last as long as the page.
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
