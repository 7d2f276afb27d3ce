import { describe, expect, it } from "vitest";

import type { Conversation } from "$lib/api/types";
import { conversation } from "../../../test/fake/factories";
import { COMPARE, matches, reorder } from "./views";

const at = (minute: number) => `2026-11-21T09:${String(minute).padStart(2, "0")}:00Z`;
const row = (id: string, minute: number, part: Partial<Conversation> = {}) => conversation({ id, last_activity_at: at(minute), ...part });

function run(ids: string[], changed: string[], rows: Conversation[], isComplete = true) {
  const byId = new Map(rows.map((item) => [item.id, item]));
  const belongs = (item: Conversation) => item.status === "open";
  return reorder(ids, new Set(changed), (id) => byId.get(id), belongs, COMPARE.newest, isComplete);
}

describe("a list that is put in order", () => {
  it("moves what changed and leaves the rest", () => {
    expect(run(["a", "b", "c"], ["c"], [row("a", 30), row("b", 20), row("c", 40)])).toEqual(["c", "a", "b"]);
  });

  it("drops what does not belong any more", () => {
    expect(run(["a", "b"], ["a"], [row("a", 30, { status: "resolved" }), row("b", 20)])).toEqual(["b"]);
  });

  it("takes in what is new", () => {
    expect(run(["a", "c"], ["b"], [row("a", 30), row("b", 20), row("c", 10)])).toEqual(["a", "b", "c"]);
  });

  it("leaves out what belongs to a page that is not loaded", () => {
    expect(run(["a"], ["z"], [row("a", 30), row("z", 1)], false)).toEqual(["a"]);
    expect(run(["a"], ["z"], [row("a", 30), row("z", 1)], true)).toEqual(["a", "z"]);
  });

  it("gives the same order as sorting, whatever changed", () => {
    const rows = Array.from({ length: 200 }, (_, index) => row(`r${index}`, (index * 37) % 60));
    const sorted = [...rows].sort(COMPARE.newest).map((item) => item.id);
    const moved = rows.map((item, index) => (index % 7 === 0 ? { ...item, last_activity_at: at((index * 11) % 60) } : item));
    const changed = moved.filter((_, index) => index % 7 === 0).map((item) => item.id);
    expect(run(sorted, changed, moved)).toEqual([...moved].sort(COMPARE.newest).map((item) => item.id));
  });
});

describe("waiting longest", () => {
  it("puts those who wait before those who do not", () => {
    const rows = [row("idle", 50), row("late", 10, { waiting_since: at(9) }), row("early", 5, { waiting_since: at(1) })];
    expect([...rows].sort(COMPARE.waiting).map((item) => item.id)).toEqual(["early", "late", "idle"]);
  });
});

describe("a filter", () => {
  it("asks for channel, label and view together", () => {
    const query = { view: "all", channel: "c1", label: "l1", sort: "newest" } as const;
    expect(matches(conversation({ label_ids: ["l1"] }), query, "me")).toBe(true);
    expect(matches(conversation({ label_ids: [] }), query, "me")).toBe(false);
    expect(matches(conversation({ label_ids: ["l1"], channel_id: "c2" }), query, "me")).toBe(false);
  });
});
