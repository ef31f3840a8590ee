/** Times as a person reads them, in the browser's own language and zone. Pure but for that. */

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const shortDate = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const longDate = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });

const dayMs = 86_400_000;

export function timeOfDay(ts: string): string {
  return clock.format(new Date(ts));
}

export function fullTime(ts: string): string {
  return full.format(new Date(ts));
}

/** The calendar day, for comparing. */
export function dayOf(ts: string): string {
  return new Date(ts).toDateString();
}

export function dayName(ts: string, now = new Date()): string {
  if (dayOf(ts) === now.toDateString()) return 'Today';
  if (dayOf(ts) === new Date(now.getTime() - dayMs).toDateString()) return 'Yesterday';
  return longDate.format(new Date(ts));
}

/** The shortest that still tells: the time today, the weekday this week, else the date. */
export function shortTime(ts: string, now = new Date()): string {
  const date = new Date(ts);
  if (date.toDateString() === now.toDateString()) return clock.format(date);
  return now.getTime() - date.getTime() < 6 * dayMs ? weekday.format(date) : shortDate.format(date);
}
