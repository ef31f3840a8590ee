/** A table of measurements, printed at the end. */
export class Table {
  private readonly lines: [string, string][] = [];

  add(what: string, figures: string): void {
    this.lines.push([what, figures]);
  }

  print(): void {
    const width = Math.max(...this.lines.map(([what]) => what.length));
    console.log(`\n${this.lines.map(([what, figures]) => `${what.padEnd(width)}  ${figures}`).join('\n')}\n`);
  }
}

/** The value below which that share of all values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** Median, 95th percentile and maximum of times in milliseconds. */
export function times(values: readonly number[]): string {
  const ms = (n: number) => n.toFixed(1);
  return `median ${ms(quantile(values, 0.5))}, p95 ${ms(quantile(values, 0.95))}, max ${ms(Math.max(...values))} ms`;
}

const frameMs = 1000 / 60;

/** The same for the times between frames, and the share of 60 frames a second that were missed. */
export function frames(values: readonly number[]): string {
  const missed = values.reduce((sum, ms) => sum + Math.max(0, Math.round(ms / frameMs) - 1), 0);
  return `${times(values)}, p99 ${quantile(values, 0.99).toFixed(1)} ms, dropped ${((100 * missed) / (missed + values.length)).toFixed(1)} %`;
}
