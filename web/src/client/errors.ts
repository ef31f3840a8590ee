import type { Problem, ProblemCode } from './types';

/** The server refused a request, and said why. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  constructor(readonly problem: Problem) {
    super(problem.detail || problem.title);
  }
  get code(): ProblemCode {
    return this.problem.code;
  }
  get retryAfterMs(): number {
    return this.problem.retry_after_ms ?? 0;
  }
}

/** A refusal by this client rather than the server. */
export function refusal(status: number, code: ProblemCode, detail: string): ProblemError {
  return new ProblemError({ type: 'about:blank', title: detail, status, detail, code });
}

/** The connection was lost before the answer: the request may or may not have taken effect. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';

  constructor(message = 'The connection was lost.') {
    super(message);
  }
}

/** No answer arrived in time: the request may or may not have taken effect. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded';

  constructor(message = 'The server did not answer in time.') {
    super(message);
  }
}

const passing: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  'rate_limited',
  'internal',
  'unavailable',
  'overloaded',
  'unknown_outcome',
]);

/** Reports whether the same request, under the same key, may succeed later. */
export function isPassing(err: unknown): boolean {
  if (err instanceof ProblemError) return passing.has(err.code);
  return err instanceof ConnectionLost || err instanceof DeadlineExceeded;
}

/** One sentence about an error, for the user. */
export function sentence(err: unknown): string {
  return (err as Error | undefined)?.message || 'Something went wrong.';
}
