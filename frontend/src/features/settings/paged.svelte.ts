import { get } from "$lib/api/client";
import type { Page } from "$lib/api/types";
import { errorWords } from "$features/triage";

/** A list that the server hands out page by page. */
export class Paged<T extends { id: string }> {
  items = $state.raw<readonly T[]>([]);
  status = $state<"loading" | "ready" | "error">("loading");
  problem = $state("");
  hasMore = $state(false);
  private cursor: string | null = null;
  private run = 0;

  constructor(
    private readonly path: string,
    private readonly query: () => Record<string, string | null> = () => ({}),
  ) {}

  async load(): Promise<void> {
    this.cursor = null;
    this.items = [];
    await this.more();
  }

  /** Reads the first page again without emptying the screen. */
  async refresh(): Promise<void> {
    this.cursor = null;
    await this.more(true);
  }

  async more(replace = false): Promise<void> {
    const run = ++this.run;
    this.status = "loading";
    try {
      const page = await get<Page<T>>(this.path, { ...this.query(), cursor: this.cursor, limit: 50 });
      if (run !== this.run) return;
      this.items = replace || this.cursor === null ? page.items : [...this.items, ...page.items];
      this.cursor = page.next_cursor ?? null;
      this.hasMore = this.cursor !== null;
      this.status = "ready";
    } catch (error) {
      if (run !== this.run) return;
      this.status = "error";
      this.problem = errorWords(error);
    }
  }

  replace(item: T): void {
    this.items = this.items.map((old) => (old.id === item.id ? { ...old, ...item } : old));
  }
}
