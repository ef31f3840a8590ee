import { loadShortcodes } from '../text/shortcodes';

/** Emoji by name, loaded when the first text has something like one. */
export class Shortcodes {
  private known = $state.raw<ReadonlyMap<string, string> | null>(null);
  private asked = false;

  /** All names, once they are loaded. */
  get all(): ReadonlyMap<string, string> | undefined {
    this.named('');
    return this.known ?? undefined;
  }

  /** The emoji of a name; undefined for an unknown one, and until the names are loaded. */
  named = (name: string): string | undefined => {
    if (!this.asked) {
      this.asked = true;
      loadShortcodes().then((known) => (this.known = known), () => (this.asked = false));
    }
    return this.known?.get(name);
  };
}
