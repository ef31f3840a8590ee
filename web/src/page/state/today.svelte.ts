import { onWake } from '../../client/wake';
import { dayStart } from '../text/time';

const minuteMs = 60_000;

/** The present minute and the start of its day here, for all that is shown relative to them. */
export class Today {
  start = $state.raw(dayStart(new Date()));
  /** The start of the present minute. */
  minute = $state.raw(Date.now());

  /** Keeps up with the clock, also after a sleep, until the returned function is called. */
  follow(): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      clearTimeout(timer);
      const now = new Date();
      const start = dayStart(now);
      if (start.getTime() !== this.start.getTime()) this.start = start;
      const past = now.getTime() % minuteMs;
      this.minute = now.getTime() - past;
      timer = setTimeout(look, minuteMs - past);
    };
    look();
    const end = onWake(look);
    return () => {
      end();
      clearTimeout(timer);
    };
  }
}
