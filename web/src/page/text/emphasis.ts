import type { Budget, Inline } from './markdown';
import type { Run } from './runs';

/** The marks of a run, as far as they are text. */
interface Mark {
  readonly kind: 'mark';
  text: string;
}

/** A run that an emphasis may have begun with. */
interface Open {
  readonly run: Run;
  readonly mark: Mark;
  /** The index of its mark. */
  readonly at: number;
  /** How many of its marks are not used yet. */
  left: number;
}

/** How many emphases may be open at once, and so be within one another. */
const deepest = 8;

const word = /[\p{L}\p{N}\p{Emoji_Presentation}]/u;

/** Turns runs into emphases where one ends what another began. The others stay as they were typed. */
export function emphasised(parts: readonly (Inline | Run)[], budget: Budget): Inline[] {
  const emphases = new Emphases(budget);
  for (const part of parts) emphases.add(part);
  return emphases.end();
}

/** Appends a part, joined with the one before if both are text. */
export function append(parts: Inline[], part: Inline): void {
  const last = parts.at(-1);
  if (part.kind === 'text' && last?.kind === 'text') parts[parts.length - 1] = { kind: 'text', text: last.text + part.text };
  else if (part.kind !== 'text' || part.text) parts.push(part);
}

class Emphases {
  private readonly parts: (Inline | Mark)[] = [];
  private readonly open: Open[] = [];
  /** The index of the last part with more than signs; -1 without one. */
  private lastWords = -1;

  constructor(private readonly budget: Budget) {}

  add(part: Inline | Run): void {
    if (part.kind !== 'run') {
      if (!('text' in part) || word.test(part.text)) this.lastWords = this.parts.length;
      return void this.parts.push(part);
    }
    const mark: Mark = { kind: 'mark', text: part.text };
    const ended = part.closes && this.close(part, mark);
    if (part.opens && !ended) this.open.push({ run: part, mark, at: this.parts.length, left: part.length });
    // What has waited longest will hardly be ended any more.
    if (this.open.length > deepest) this.open.shift();
    this.parts.push(mark);
  }

  end(): Inline[] {
    return joined(this.parts);
  }

  /** Ends what earlier runs began, from the innermost. Reports whether there was anything. */
  private close(run: Run, mark: Mark): boolean {
    let left = run.length;
    for (let i = this.open.length - 1; i >= 0 && left > 0; i--) {
      const begun = this.open[i]!;
      const n = begun.run.char === run.char ? shared(begun.left, left) : 0;
      if (n === 0) continue;
      if (begun.run.escaped || run.escaped) {
        // The backslash kept two runs from meaning something, so it is not shown.
        if (begun.run.escaped) {
          begun.mark.text = unescaped(begun.run);
          this.open.splice(i, 1);
        }
        if (!run.escaped) continue;
        mark.text = unescaped(run);
        return true;
      }
      // Signs alone are not emphasised: `(*-*)` is a face.
      if (this.lastWords <= begun.at || !this.budget.spend()) return false;
      this.wrap(begun, n);
      mark.text = mark.text.slice(n);
      left -= n;
      this.open.length = begun.left > 0 ? i + 1 : i;
    }
    return left < run.length;
  }

  /** Makes an emphasis of all that follows a run. */
  private wrap(begun: Open, n: number): void {
    const children = joined(this.parts.splice(begun.at + 1));
    begun.mark.text = begun.mark.text.slice(n);
    begun.left -= n;
    if (begun.left === 0) this.parts.pop();
    if (begun.run.char === '~') this.parts.push({ kind: 'del', children });
    else if (n === 3) this.parts.push({ kind: 'em', children: [{ kind: 'strong', children }] });
    else this.parts.push({ kind: n === 2 ? 'strong' : 'em', children });
    this.lastWords = this.parts.length - 1;
  }
}

function joined(parts: readonly (Inline | Mark)[]): Inline[] {
  const found: Inline[] = [];
  for (const part of parts) append(found, part.kind === 'mark' ? { kind: 'text', text: part.text } : part);
  return found;
}

const unescaped = (run: Run) => run.text.replaceAll('\\', '');

/** How many marks of a run that ends an emphasis belong to the one that begins it. */
function shared(open: number, close: number): number {
  if (open === close) return open;
  return Math.max(open, close) === 3 ? Math.min(open, close) : 0;
}
