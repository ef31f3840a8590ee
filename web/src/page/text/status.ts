import type { Presence, User } from '../../client';
import { dayStart } from './time';

/** What a user says of themselves for a while. */
export interface Status {
  readonly text: string;
  readonly emoji: string;
  /** When it is gone, if it is to go. */
  readonly until?: string | undefined;
}

/** What stands beside the name of a user whose status has no emoji of its own. */
export const plainEmoji = '💬';

/** The status as the later answer tells it, with the presence or the user; undefined without one. */
export function statusIn(told: Presence | User | undefined): Status | undefined {
  if (!told?.status_text && !told?.status_emoji) return undefined;
  return { text: told.status_text ?? '', emoji: told.status_emoji || plainEmoji, until: told.status_until };
}

/** For how long a status may be set. */
export const spans = ['never', 'half', 'hour', 'today', 'week'] as const;
export type Span = (typeof spans)[number];

const minuteMs = 60_000;

/** When a status is gone that is set now, at a full minute; undefined for never. */
export function endOf(span: Span, now: Date): Date | undefined {
  const inMinutes = (n: number) => new Date((Math.ceil(now.getTime() / minuteMs) + n) * minuteMs);
  switch (span) {
    case 'never':
      return undefined;
    case 'half':
      return inMinutes(30);
    case 'hour':
      return inMinutes(60);
    case 'today':
      return dayStart(now, 1);
    case 'week':
      // Until Monday begins.
      return dayStart(now, 8 - (now.getDay() || 7));
  }
}

/** What many say: the emoji, and for how long. */
export const suggestions = [
  { emoji: '📅', key: 'meeting', span: 'hour' },
  { emoji: '🚆', key: 'commuting', span: 'half' },
  { emoji: '🏡', key: 'remote', span: 'today' },
  { emoji: '🤒', key: 'sick', span: 'today' },
  { emoji: '🌴', key: 'vacation', span: 'never' },
] as const satisfies readonly { emoji: string; key: string; span: Span }[];
