import type { Attachment } from "$lib/api/types";
import { madeOutside } from "./box.svelte";

export interface Upload {
  key: string;
  name: string;
  size: number;
  /** 0…1 while it goes up. */
  share: number;
  error: string;
  attachment: Attachment | null;
  abort: AbortController;
}

interface Kept {
  text: string;
  note: string;
  mode: "reply" | "note";
  replyTo: { id: string; preview: string } | null;
}

const KEY = (id: string) => `draft ${id}`;
const SAVE_MS = 500;

/** What is being written in one conversation. Reply and note have a text each, so neither can go out as the other. */
export class DraftState {
  text = $state("");
  note = $state("");
  mode = $state<"reply" | "note">("reply");
  replyTo = $state.raw<Kept["replyTo"]>(null);
  uploads = $state.raw<readonly Upload[]>([]);
  private timer = 0;

  constructor(private readonly id: string) {
    const kept = read(id);
    if (!kept) return;
    this.text = kept.text;
    this.note = kept.note;
    this.mode = kept.mode;
    this.replyTo = kept.replyTo;
  }

  saveSoon(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.save(), SAVE_MS);
  }

  save(): void {
    window.clearTimeout(this.timer);
    const { text, note, mode, replyTo } = this;
    try {
      if (text || note || replyTo) sessionStorage.setItem(KEY(this.id), JSON.stringify({ text, note, mode, replyTo }));
      else sessionStorage.removeItem(KEY(this.id));
    } catch (error) {
      // Storage is closed or full: the draft lives as long as the page.
      console.warn("draft not kept", error);
    }
  }

  update(key: string, part: Partial<Upload>): void {
    this.uploads = this.uploads.map((item) => (item.key === key ? { ...item, ...part } : item));
  }

  drop(key: string): void {
    this.uploads.find((item) => item.key === key)?.abort.abort();
    this.uploads = this.uploads.filter((item) => item.key !== key);
  }
}

function read(id: string): Kept | null {
  try {
    const text = sessionStorage.getItem(KEY(id));
    return text ? (JSON.parse(text) as Kept) : null;
  } catch {
    return null;
  }
}

class Drafts {
  // Found by id, never listed: a view watches the draft, not the map.
  private readonly byId = new Map<string, DraftState>();

  of(id: string): DraftState {
    let draft = this.byId.get(id);
    if (!draft) this.byId.set(id, (draft = madeOutside(() => new DraftState(id))));
    return draft;
  }

  /** What is not saved yet is, when the page goes. */
  saveAll(): void {
    for (const draft of this.byId.values()) draft.save();
  }
}

export const drafts = new Drafts();
if (typeof window !== "undefined") window.addEventListener("pagehide", () => drafts.saveAll());
