/** One row that a view may watch before it exists. The row is immutable and replaced whole. */
export class Box<T> {
  value = $state.raw<T | undefined>(undefined);
}

/** Boxes by id. Asking for an unknown id makes an empty box, so that a view sees the row arrive. */
export class Boxes<T> {
  private readonly boxes = new Map<string, Box<T>>();

  of(id: string): Box<T> {
    let box = this.boxes.get(id);
    if (!box) this.boxes.set(id, (box = new Box<T>()));
    return box;
  }

  ids(): string[] {
    return [...this.boxes.keys()];
  }
}
