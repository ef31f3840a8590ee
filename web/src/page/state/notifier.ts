/** The content of a desktop notification. */
export interface Notice {
  readonly title: string;
  readonly body: string;
  /** Notices with the same tag replace each other, so several windows notify only once. */
  readonly tag: string;
  readonly open: () => void;
}

/** Desktop notifications, if the browser supports them and the user allows them. */
export class Notifier {
  /** Asks for permission, unless answered before. Resolves to whether it is granted. */
  async allow(): Promise<boolean> {
    if (!('Notification' in globalThis)) return false;
    return (await Notification.requestPermission()) === 'granted';
  }

  /** Returns what was shown, to be closed; undefined if nothing was. */
  show({ title, body, tag, open }: Notice): Notification | undefined {
    if (!('Notification' in globalThis) || Notification.permission !== 'granted') return undefined;
    try {
      const shown = new Notification(title, { body, tag, icon: '/icon-192.png' });
      shown.onclick = () => {
        focus();
        open();
        shown.close();
      };
      return shown;
    } catch {
      // On phones only a service worker may show one; the badge in the title has to do.
      return undefined;
    }
  }
}
