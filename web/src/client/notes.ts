// Imported from the entry point so that the package needs no third file for what both entries
// share.
import { ConnectionLost, DeadlineExceeded, ProblemError } from './index';
import type { Connection } from './link';
import type { Outbox, OutboxOrder } from './outbox';
import type { ChatEvent, Hello, Problem, Push } from './types';

/**
 * The version of the notes between windows. Pages of different versions may be open side by side:
 * change a note and you must raise this number, so that windows that would not understand each
 * other do not talk.
 */
export const notesVersion = 1;

/** Notes from the leader. `by` names its turn at leading; a note without `to` is for all. */
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

/** Notes to the leading window. */
export type FollowerNote =
  | { is: 'join'; from: string }
  | { is: 'order'; order: OutboxOrder }
  | { is: 'wake'; how: 'probe' | 'reconnect' }
  | { is: 'request'; from: string; id: string; op: string; d: unknown };

export type Note = (LeaderNote & { by: string }) | FollowerNote;

/** Why a request failed, in a form that can be copied to another window. */
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
