import { get } from "$lib/api/client";
import type { Conversation, ConversationPage } from "$lib/api/types";
import { COMPARE, matches, reorder, type ListQuery } from "./views";

const SETTLE_MS = 250;
const HOLD_MS = 3_000;
const PAGE = 50;

export type LoadStatus = "loading" | "ready" | "error";

interface ListSource {
  row(id: string): Conversation | undefined;
  me(): string;
  /** Takes what the server answered, before the list shows it. */
  receive(page: ConversationPage): void;
}

export const sameQuery = (a: ListQuery, b: ListQuery) =>
  a.view === b.view && a.channel === b.channel && a.label === b.label && a.sort === b.sort;

/**
 * The ids of the list on screen, in order. Changes are merged at most four times a second, and not at all while the
 * user is at work in the list: the rows then keep their places and `held` says how many changes wait.
 */
export class ConversationList {
  query = $state.raw<ListQuery>({ view: "mine", channel: null, label: null, sort: "newest" });
  ids = $state.raw<readonly string[]>([]);
  status = $state<LoadStatus>("loading");
  held = $state(0);
  hasMore = $state(false);
  private cursor: string | null = null;
  private changed = new Set<string>();
  private holdTimer = 0;
  private settleTimer = 0;
  private loading: AbortController | null = null;
  private paging = false;

  constructor(private readonly source: ListSource) {}

  /** Shows another list. What is known of it appears at once, the server's page follows. */
  async open(query: ListQuery): Promise<void> {
    this.query = query;
    this.ids = [];
    await this.reload();
  }

  /** Shows a page that is already here. */
  adopt(query: ListQuery, items: readonly Conversation[], cursor: string | null): void {
    this.loading?.abort();
    this.query = query;
    this.place(items, cursor);
  }

  /** Asks the server again; what is on screen stays until the answer is there. */
  async reload(): Promise<void> {
    this.loading?.abort();
    const controller = (this.loading = new AbortController());
    this.status = "loading";
    try {
      const page = await this.fetch(null, controller.signal);
      this.source.receive(page);
      this.place(page.items, page.next_cursor);
    } catch (error) {
      if (controller.signal.aborted) return;
      this.status = "error";
      console.warn("list not loaded", error);
    }
  }

  async more(): Promise<void> {
    if (this.paging || !this.cursor || this.status !== "ready") return;
    this.paging = true;
    const query = this.query;
    try {
      const page = await this.fetch(this.cursor);
      if (!sameQuery(query, this.query)) return;
      this.source.receive(page);
      this.setCursor(page.next_cursor);
      for (const item of page.items) this.changed.add(item.id);
      this.append(page.items);
    } catch (error) {
      console.warn("next page not loaded", error);
    } finally {
      this.paging = false;
    }
  }

  /** Says that rows changed. `now` is for what the user did here: it shows at once, and what others did still waits. */
  touch(ids: readonly string[], now = false): void {
    for (const id of ids) this.changed.add(id);
    if (!now) {
      this.schedule();
      return;
    }
    this.ids = this.ordered(new Set(ids));
    for (const id of ids) this.changed.delete(id);
    this.countHeld();
  }

  /** The user is at work in the list: nothing moves for three seconds. */
  hold(): void {
    window.clearTimeout(this.holdTimer);
    this.holdTimer = window.setTimeout(() => this.release(), HOLD_MS);
  }

  release(): void {
    window.clearTimeout(this.holdTimer);
    this.holdTimer = 0;
    this.settle();
  }

  settle(): void {
    window.clearTimeout(this.settleTimer);
    this.settleTimer = 0;
    const next = this.ordered(this.changed);
    this.changed.clear();
    this.held = 0;
    this.ids = next;
  }

  /** The neighbour of a row, or the first row when there is none such. */
  neighbour(id: string | null, step: 1 | -1): string | undefined {
    const at = id === null ? -1 : this.ids.indexOf(id);
    return at < 0 ? this.ids[0] : this.ids[at + step];
  }

  private fetch(cursor: string | null, signal?: AbortSignal): Promise<ConversationPage> {
    return get<ConversationPage>("/conversations", { ...this.query, cursor, limit: PAGE }, signal);
  }

  private place(items: readonly Conversation[], cursor: string | null): void {
    this.ids = items.map((item) => item.id);
    this.setCursor(cursor);
    this.status = "ready";
    // What events changed while the page was on its way is merged in.
    this.settle();
  }

  private append(items: readonly Conversation[]): void {
    const known = new Set(this.ids);
    this.ids = [...this.ids, ...items.map((item) => item.id).filter((id) => !known.has(id))];
  }

  private setCursor(cursor: string | null): void {
    this.cursor = cursor;
    this.hasMore = cursor !== null;
  }

  private schedule(): void {
    if (this.settleTimer) return;
    this.settleTimer = window.setTimeout(() => {
      this.settleTimer = 0;
      if (this.holdTimer) this.countHeld();
      else this.settle();
    }, SETTLE_MS);
  }

  private countHeld(): void {
    const next = this.ordered(this.changed);
    const same = next.length === this.ids.length && next.every((id, index) => id === this.ids[index]);
    this.held = same ? 0 : this.changed.size;
  }

  private ordered(changed: ReadonlySet<string>): string[] {
    const { query, source } = this;
    const belongs = (row: Conversation) => matches(row, query, source.me());
    return reorder(this.ids, changed, (id) => source.row(id), belongs, COMPARE[query.sort], this.cursor === null);
  }
}
