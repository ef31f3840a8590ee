import { startColouring } from '../../worker';
import type { Piece } from './highlight';

type Pieces = readonly Piece[] | null;

/** Longer than code of the length that is coloured takes, even where the worker is loaded first. */
const patienceMs = 5_000;
const mostRefused = 100;

/** Colours code in a worker, one piece after another, and ends the worker when it takes too long. */
export class Colours {
  private worker: Worker | undefined;
  private last: Promise<unknown> = Promise.resolve();
  /** Code that took too long, which is not tried again. */
  private readonly refused = new Set<string>();

  constructor(private readonly start: () => Worker = startColouring) {}

  /** Splits code into pieces; null for an unknown language, and where that takes too long. */
  of(text: string, language: string): Promise<Pieces> {
    const found = this.last.then(() => (this.refused.has(text) ? null : this.ask(text, language))).catch(() => null);
    this.last = found;
    return found;
  }

  private ask(text: string, language: string): Promise<Pieces> {
    const worker = (this.worker ??= this.start());
    return new Promise((resolve) => {
      const fail = () => {
        worker.terminate();
        this.worker = undefined;
        if (this.refused.size === mostRefused) this.refused.clear();
        this.refused.add(text);
        resolve(null);
      };
      const timer = setTimeout(fail, patienceMs);
      worker.onmessage = ({ data }: MessageEvent<Pieces>) => {
        clearTimeout(timer);
        resolve(data);
      };
      worker.onerror = () => {
        clearTimeout(timer);
        fail();
      };
      worker.postMessage({ text, language });
    });
  }
}
