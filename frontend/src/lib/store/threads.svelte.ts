import { get } from "$lib/api/client";
import type { Message, MessagePage } from "$lib/api/types";
import { Boxes } from "./box.svelte";
import type { LoadStatus } from "./list.svelte";
import { mergeMessages, type Rows } from "./rows";

const PAGE = 50;
const KEPT = 30;

export interface Thread {
  items: readonly Message[];
  hasMore: boolean;
  status: LoadStatus;
  /** Older messages are on their way, or could not be fetched. */
  older: "idle" | "loading" | "error";
}

const EMPTY: Thread = { items: [], hasMore: false, status: "loading", older: "idle" };

/** The messages of opened conversations. Follows the events as long as it is kept; the 30 last opened are. */
export class Threads {
  readonly boxes = new Boxes<Thread>();
  private readonly stale = new Set<string>();
  private recent: string[] = [];

  constructor(
    private readonly rows: () => Rows,
    private readonly arrived: (messages: readonly Message[]) => void,
  ) {}

  of(id: string): Thread {
    return this.boxes.of(id).value ?? EMPTY;
  }

  /** Opens a thread: shows what is here, fetches the newest page unless the events have kept it whole. */
  async open(id: string): Promise<void> {
    const isKept = this.rows().threads.has(id) && !this.stale.has(id) && this.of(id).status === "ready";
    this.remember(id);
    if (isKept) return;
    // From here on events are collected, so none slips between the request and its answer.
    if (!this.rows().threads.has(id)) this.rows().threads.set(id, { items: [], from: "" });
    await this.load(id);
  }

  async load(id: string): Promise<void> {
    if (this.of(id).items.length === 0) this.update(id, { status: "loading" });
    try {
      const page = await get<MessagePage>(`/conversations/${id}/messages`, { limit: PAGE });
      this.stale.delete(id);
      this.write(id, page);
      this.update(id, { status: "ready", hasMore: page.has_more });
    } catch (error) {
      this.update(id, { status: "error" });
      console.warn("thread not loaded", error);
    }
  }

  async loadOlder(id: string): Promise<void> {
    const thread = this.of(id);
    const first = thread.items[0];
    if (!thread.hasMore || thread.older === "loading" || !first) return;
    this.update(id, { older: "loading" });
    try {
      const page = await get<MessagePage>(`/conversations/${id}/messages`, { before: first.sort, limit: PAGE });
      this.write(id, page);
      this.update(id, { older: "idle", hasMore: page.has_more });
    } catch (error) {
      this.update(id, { older: "error" });
      console.warn("older messages not loaded", error);
    }
  }

  /** Shows what the events changed. A thread that is fetched again keeps its old picture until the answer is here. */
  refresh(ids: Iterable<string>): void {
    for (const id of ids) {
      const thread = this.rows().threads.get(id);
      if (thread && !this.stale.has(id)) this.update(id, { items: thread.items });
    }
  }

  /** Nothing here can be trusted any more: what is on screen stays until it is fetched again. */
  invalidate(open: string | null): void {
    for (const id of this.recent) {
      this.stale.add(id);
      this.rows().threads.set(id, { items: [], from: "" });
    }
    if (open) void this.load(open);
  }

  private write(id: string, page: MessagePage): void {
    const from = page.has_more ? (page.items[0]?.sort ?? "") : "";
    const known = (this.rows().threads.get(id)?.items ?? []).filter((item) => item.sort >= from);
    const items = mergeMessages(known, page.items);
    this.rows().threads.set(id, { items, from });
    this.update(id, { items });
    this.arrived(items);
  }

  private update(id: string, part: Partial<Thread>): void {
    this.boxes.of(id).value = { ...this.of(id), ...part };
  }

  private remember(id: string): void {
    this.recent = [id, ...this.recent.filter((other) => other !== id)];
    for (const old of this.recent.slice(KEPT)) {
      this.rows().threads.delete(old);
      this.boxes.of(old).value = undefined;
    }
    this.recent = this.recent.slice(0, KEPT);
  }
}
