/** Times as a person reads them, in their language and the browser's zone. */

const dayMs = 86_400_000;

/** The calendar day, for comparing. */
export function dayOf(ts: string): string {
  return new Date(ts).toDateString();
}

/** Writes times in one language. */
export class Times {
  private readonly clock: Intl.DateTimeFormat;
  private readonly weekday: Intl.DateTimeFormat;
  private readonly shortDate: Intl.DateTimeFormat;
  private readonly longDate: Intl.DateTimeFormat;
  private readonly whole: Intl.DateTimeFormat;
  private readonly relative: Intl.RelativeTimeFormat;

  constructor(locale: string | undefined) {
    this.clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
    this.weekday = new Intl.DateTimeFormat(locale, { weekday: 'short' });
    this.shortDate = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
    this.longDate = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
    this.whole = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'medium' });
    this.relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  }

  ofDay = (ts: string): string => this.clock.format(new Date(ts));
  full = (ts: string): string => this.whole.format(new Date(ts));

  /** Today and yesterday by those words, other days by their date. */
  day(ts: string, now = new Date()): string {
    for (const ago of [0, 1]) {
      if (dayOf(ts) === new Date(now.getTime() - ago * dayMs).toDateString()) return capital(this.relative.format(-ago, 'day'));
    }
    return this.longDate.format(new Date(ts));
  }

  /** The shortest that still tells: the time today, the weekday this week, else the date. */
  short(ts: string, now = new Date()): string {
    const date = new Date(ts);
    if (date.toDateString() === now.toDateString()) return this.clock.format(date);
    return now.getTime() - date.getTime() < 6 * dayMs ? this.weekday.format(date) : this.shortDate.format(date);
  }
}

function capital(text: string): string {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}
