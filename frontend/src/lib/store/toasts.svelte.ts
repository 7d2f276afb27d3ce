export interface Toast {
  id: number;
  text: string;
  tone: "plain" | "bad";
  undo?: () => void;
}

const SHOWN_MS = 10_000;
const MOST = 4;

/** Short words about what just happened, with a way back where there is one. */
export class Toasts {
  items = $state.raw<readonly Toast[]>([]);
  private next = 1;

  show(text: string, options: { tone?: "plain" | "bad"; undo?: () => void } = {}): void {
    const toast: Toast = { id: this.next++, text, tone: options.tone ?? "plain", ...(options.undo ? { undo: options.undo } : {}) };
    this.items = [...this.items, toast].slice(-MOST);
    setTimeout(() => this.dismiss(toast.id), SHOWN_MS);
  }

  dismiss(id: number): void {
    this.items = this.items.filter((toast) => toast.id !== id);
  }

  /** What did not happen cannot be undone: its toast goes. */
  dropUndo(undo: () => void): void {
    this.items = this.items.filter((toast) => toast.undo !== undo);
  }

  /** Takes the newest undoable action back. Returns whether there was one. */
  undoLast(): boolean {
    const toast = this.items.findLast((item) => item.undo);
    if (!toast) return false;
    this.dismiss(toast.id);
    toast.undo?.();
    return true;
  }
}
