/** Times for people, in their language and the browser's time zone. */

/** The calendar day, to compare. */
export function dayOf(ts: string): string {
  return new Date(ts).toDateString();
}

/** The start of the calendar day of a time, or of one `days` later: not every day has 24 hours. */
export function dayStart(time: Date, days = 0): Date {
  return new Date(time.getFullYear(), time.getMonth(), time.getDate() + days);
}

/** Formats times in one language, as seen on the day that begins at `today`. */
export class Times {
  private readonly clock: Intl.DateTimeFormat;
  private readonly weekday: Intl.DateTimeFormat;
  private readonly shortDate: Intl.DateTimeFormat;
  private readonly longDate: Intl.DateTimeFormat;
  private readonly middleDate: Intl.DateTimeFormat;
  private readonly whole: Intl.DateTimeFormat;
  private readonly relative: Intl.RelativeTimeFormat;

  constructor(
    private readonly locale: string | undefined,
    private readonly today: Date,
  ) {
    this.clock = new Intl.DateTimeFormat(locale, { timeStyle: 'short' });
    this.weekday = new Intl.DateTimeFormat(locale, { weekday: 'short' });
    this.shortDate = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
    this.longDate = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
    this.middleDate = new Intl.DateTimeFormat(locale, { dateStyle: 'long' });
    this.whole = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'medium' });
    this.relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  }

  /** The time of day in as little room as it takes: without the half of the day that others show. */
  ofDayShort = (ts: string): string =>
    this.clock
      .formatToParts(new Date(ts))
      .map(({ type, value }) => (type === 'dayPeriod' ? '' : value))
      .join('')
      .trim();
  ofDay = (ts: string): string => this.clock.format(new Date(ts));
  date = (ts: string): string => this.middleDate.format(new Date(ts));
  full = (ts: string): string => this.whole.format(new Date(ts));

  /** "Today", "Yesterday", or the date. */
  day(ts: string): string {
    for (const ago of [0, 1]) {
      if (dayOf(ts) === dayStart(this.today, -ago).toDateString()) return capital(this.relative.format(-ago, 'day'));
    }
    return this.longDate.format(new Date(ts));
  }

  /** The time on a clock elsewhere, with the weekday where that is another; '' for an unknown zone. */
  at(zone: string, now: Date): string {
    try {
      const there = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(this.locale, { ...options, timeZone: zone }).format(now);
      const day = there({ weekday: 'short' });
      const time = there({ timeStyle: 'short' });
      return day === this.weekday.format(now) ? time : `${day} ${time}`;
    } catch {
      return '';
    }
  }

  /** The day at whose end a time is, within a sentence; '' if it is not the end of a day. */
  lastDay(ts: string): string {
    const date = new Date(ts);
    if (date.getTime() !== dayStart(date).getTime()) return '';
    const day = dayStart(date, -1);
    return day.getTime() === this.today.getTime() ? this.relative.format(0, 'day') : `${this.weekday.format(day)} ${this.shortDate.format(day)}`;
  }

  /** A time soon: that of the day, with the weekday where it is not today. */
  soon(ts: string): string {
    const date = new Date(ts);
    const time = this.clock.format(date);
    return dayOf(ts) === this.today.toDateString() ? time : `${this.weekday.format(date)} ${time}`;
  }

  /** As short as possible: the time today, the weekday for six days more, else the date. */
  short(ts: string): string {
    const date = new Date(ts);
    // Also what is later than today, where the clocks here and there differ.
    if (date >= this.today) return this.clock.format(date);
    return date >= dayStart(this.today, -6) ? this.weekday.format(date) : this.shortDate.format(date);
  }
}

function capital(text: string): string {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}
