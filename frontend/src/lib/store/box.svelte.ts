/** One row that a view may watch before it exists. The row is immutable and replaced whole. */
export class Box<T> {
  value = $state.raw<T | undefined>(undefined);
}

/**
 * Makes state on behalf of a view, outside of it. Svelte does not let a derived value watch state that was made while
 * it was computed, and a box is made by whoever asks for it first.
 */
export function madeOutside<T>(make: () => T): T {
  let made: T | undefined;
  $effect.root(() => {
    made = make();
  })();
  return made as T;
}

/** Boxes by id. Asking for an unknown id makes an empty box, so that a view sees the row arrive. */
export class Boxes<T> {
  private readonly boxes = new Map<string, Box<T>>();

  of(id: string): Box<T> {
    let box = this.boxes.get(id);
    if (!box) this.boxes.set(id, (box = madeOutside(() => new Box<T>())));
    return box;
  }

  ids(): string[] {
    return [...this.boxes.keys()];
  }
}
