/** One message as the desktop tells of it. */
export interface Notice {
  readonly title: string;
  readonly body: string;
  /** Notices of the same tag replace one another: several windows tell of a message once. */
  readonly tag: string;
  readonly open: () => void;
}

/** Desktop notifications, where the browser has them and the person allows them. */
export class Notifier {
  /** Asks the person, unless they have answered before. */
  async allow(): Promise<boolean> {
    if (!('Notification' in globalThis)) return false;
    return (await Notification.requestPermission()) === 'granted';
  }

  show({ title, body, tag, open }: Notice): void {
    if (!('Notification' in globalThis) || Notification.permission !== 'granted') return;
    try {
      const shown = new Notification(title, { body, tag, icon: '/icon-192.png' });
      shown.onclick = () => {
        focus();
        open();
        shown.close();
      };
    } catch {
      // On phones only a service worker may show one; the badge of the title has to do.
    }
  }
}
