import { ProblemError } from '../../client';

/** What the server asks for after a right password. */
export interface SecondStep {
  readonly challenge: string;
  readonly methods: readonly ('totp' | 'recovery_code' | 'passkey')[];
}

/** The second step that a refusal of a log-in asks for; null if it is about something else. */
export function secondStep(err: unknown): SecondStep | null {
  if (!(err instanceof ProblemError) || err.code !== 'second_factor') return null;
  const { challenge, methods } = err.problem as Partial<SecondStep>;
  return challenge ? { challenge, methods: methods ?? ['totp', 'recovery_code'] } : null;
}
