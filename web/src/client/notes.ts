// By way of the whole: so the package needs no third file for what both parts use.
import { ConnectionLost, DeadlineExceeded, ProblemError } from './index';
import type { Connection } from './link';
import type { Outbox } from './outbox';
import type { OutboxOrder } from './sender';
import type { ChatEvent, Hello, Problem, Push } from './types';

/**
 * What windows say to one another. Pages of different versions may be open side by side: whoever changes a
 * note raises this number, and windows that do not understand one another do not hear one another.
 */
export const notesVersion = 1;

/** What the window that leads says. `by` names its turn at leading, `to` a window; what is to nobody is to all. */
export type LeaderNote =
  | { is: 'lead' }
  | { is: 'welcome'; to: string; hello: Hello | null; epoch: string; connection: Connection; items: Outbox }
  | { is: 'hello'; hello: Hello }
  | { is: 'push'; push: Push }
  | { is: 'event'; event: ChatEvent }
  | { is: 'ready'; epoch: string }
  | { is: 'connection'; connection: Connection }
  | { is: 'outbox'; items: Outbox }
  | { is: 'answer'; to: string; id: string; d?: unknown; failed?: Failed };

/** What the others say to it. */
export type FollowerNote =
  | { is: 'join'; from: string }
  | { is: 'order'; order: OutboxOrder }
  | { is: 'wake'; how: 'probe' | 'reconnect' }
  | { is: 'request'; from: string; id: string; op: string; d: unknown };

export type Note = (LeaderNote & { by: string }) | FollowerNote;

/** Why a request failed, as something that can be copied to another window. */
export type Failed = { problem: Problem } | { lost: string } | { late: string };

export function failed(err: unknown): Failed {
  if (err instanceof ProblemError) return { problem: err.problem };
  const message = err instanceof Error ? err.message : String(err);
  return err instanceof DeadlineExceeded ? { late: message } : { lost: message };
}

export function errorOf(failed: Failed): Error {
  if ('problem' in failed) return new ProblemError(failed.problem);
  return 'late' in failed ? new DeadlineExceeded(failed.late) : new ConnectionLost(failed.lost);
}
