export interface Toast {
  readonly id: number;
  readonly text: string;
}

const shownMs = 7_000;
const most = 4;

/** Short notices that go away by themselves. */
export class Toasts {
  items = $state.raw<readonly Toast[]>([]);
  private last = 0;

  /** `sentence` says what went wrong, for a person. */
  constructor(private readonly sentence: (err: unknown) => string) {}

  show(text: string): void {
    if (this.items.some((toast) => toast.text === text)) return;
    const id = ++this.last;
    this.items = [...this.items, { id, text }].slice(-most);
    setTimeout(() => this.close(id), shownMs);
  }

  error = (err: unknown): void => this.show(this.sentence(err));

  close(id: number): void {
    this.items = this.items.filter((toast) => toast.id !== id);
  }
}
