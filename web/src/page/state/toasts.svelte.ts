export interface Toast {
  readonly id: number;
  readonly text: string;
  /** What can be done about it. */
  readonly action?: { readonly label: string; readonly run: () => void } | undefined;
}

const shownMs = 7_000;
const most = 4;

/** Short notices that disappear by themselves. */
export class Toasts {
  items = $state.raw<readonly Toast[]>([]);
  private last = 0;

  /** `sentence` describes an error for the user. */
  constructor(private readonly sentence: (err: unknown) => string) {}

  show(text: string, action?: Toast['action']): void {
    if (this.items.some((toast) => toast.text === text)) return;
    const id = ++this.last;
    this.items = [...this.items, { id, text, action }].slice(-most);
    setTimeout(() => this.close(id), shownMs);
  }

  error = (err: unknown): void => this.show(this.sentence(err));

  close(id: number): void {
    this.items = this.items.filter((toast) => toast.id !== id);
  }
}
