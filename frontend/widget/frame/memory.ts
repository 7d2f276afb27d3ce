/** What must survive the page being left: unsent messages and the draft. Storage may be forbidden to a
 * third-party frame; then they live as long as the frame does. */

import type { Attachment, Outgoing } from "./contract";

export interface Unsent {
  outgoing: Outgoing;
  attachments: Attachment[];
  at: string;
}

export class Memory {
  private storage: Storage | null;

  constructor(
    private readonly channel: string,
    open: () => Storage,
  ) {
    try {
      this.storage = open();
    } catch {
      this.storage = null; // forbidden: see above
    }
  }

  /** From here on it is kept for the visitor whom `token` names. What was another's is forgotten. */
  belongTo(token: string | null, inherit: boolean): void {
    const owner = token?.slice(-16) ?? "";
    if (!inherit && (this.get("owner") ?? "") !== owner) {
      this.keepUnsent([]);
      this.keepDraft("");
    }
    this.set("owner", owner || null);
  }

  unsent(): Unsent[] {
    return JSON.parse(this.get("unsent") ?? "[]") as Unsent[];
  }

  keepUnsent(items: readonly Unsent[]): void {
    this.set("unsent", items.length ? JSON.stringify(items) : null);
  }

  draft(): string {
    return this.get("draft") ?? "";
  }

  keepDraft(text: string): void {
    this.set("draft", text || null);
  }

  private get(what: string): string | null {
    return this.storage?.getItem(`meridian-chat:${this.channel}:${what}`) ?? null;
  }

  private set(what: string, value: string | null): void {
    const key = `meridian-chat:${this.channel}:${what}`;
    try {
      if (value === null) this.storage?.removeItem(key);
      else this.storage?.setItem(key, value);
    } catch {
      this.storage = null; // full or withdrawn: from here on as if forbidden
    }
  }
}
