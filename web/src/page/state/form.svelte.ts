import { ProblemError } from '../../client';
import { fieldOf, type FieldName } from '../text/refusals';

/** A form on its way to the server: whether it is under way, and what was refused, at which field. */
export class Form {
  busy = $state(false);
  // As `busy`, but not watched: an effect that sends would run again whenever it has sent.
  private sending = false;
  private refused = $state.raw<{ readonly field: FieldName; readonly text: string } | null>(null);

  constructor(private readonly sentence: (err: unknown) => string) {}

  /** Sends once at a time. Resolves to whether the server took it. */
  async send(fn: () => Promise<unknown>): Promise<boolean> {
    if (this.sending) return false;
    this.sending = this.busy = true;
    this.refused = null;
    try {
      await fn();
      return true;
    } catch (err) {
      this.refused = { field: err instanceof ProblemError ? fieldOf(err) : '', text: this.sentence(err) };
      return false;
    } finally {
      this.sending = this.busy = false;
    }
  }

  /** What is wrong with a field; '' if nothing is. With several, what is wrong with any. */
  at(...fields: FieldName[]): string {
    return this.refused && fields.includes(this.refused.field) ? this.refused.text : '';
  }

  /** What is wrong with none of these fields. */
  beside(...fields: FieldName[]): string {
    return this.refused && !fields.includes(this.refused.field) ? this.refused.text : '';
  }

  forget(): void {
    this.refused = null;
  }
}
