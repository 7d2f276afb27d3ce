import { afterEach, beforeEach, expect, it, vi } from "vitest";

import type { Conversation } from "$lib/api/types";
import { conversation } from "../../../test/fake/factories";
import { ConversationList } from "./list.svelte";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function listOf(...rows: Conversation[]) {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const list = new ConversationList({ row: (id) => byId.get(id), me: () => "me", receive: () => undefined });
  list.adopt({ view: "all", channel: null, label: null, sort: "newest" }, rows, null);
  const change = (id: string, part: Partial<Conversation>) => {
    byId.set(id, { ...(byId.get(id) ?? conversation({ id })), ...part });
    list.touch([id]);
  };
  return { list, change };
}
const two = () => listOf(conversation({ id: "a", last_activity_at: "2026-11-21T09:02:00Z" }), conversation({ id: "b", last_activity_at: "2026-11-21T09:01:00Z" }));
const NEWER = { last_activity_at: "2026-11-21T09:09:00Z" };

it("many changes are merged at most four times a second", () => {
  const { list, change } = two();
  change("b", NEWER);
  expect(list.ids).toEqual(["a", "b"]);
  vi.advanceTimersByTime(250);
  expect(list.ids).toEqual(["b", "a"]);
});

it("nothing moves while the user is at work in the list, and the waiting changes are counted", () => {
  const { list, change } = two();
  list.hold();
  change("b", NEWER);
  vi.advanceTimersByTime(300);
  expect(list.ids).toEqual(["a", "b"]);
  expect(list.held).toBe(1);
});

it("the list settles three seconds after the last input", () => {
  const { list, change } = two();
  list.hold();
  change("b", NEWER);
  vi.advanceTimersByTime(2_900);
  list.hold();
  vi.advanceTimersByTime(2_900);
  expect(list.ids).toEqual(["a", "b"]);
  vi.advanceTimersByTime(200);
  expect(list.ids).toEqual(["b", "a"]);
  expect(list.held).toBe(0);
});

it("a change that moves nothing is not announced as waiting", () => {
  const { list, change } = two();
  list.hold();
  change("a", { unanswered: 3 });
  vi.advanceTimersByTime(300);
  expect(list.held).toBe(0);
});

it("what the user did here shows at once, and what others did still waits", () => {
  const { list, change } = two();
  change("c", { last_activity_at: "2026-11-21T09:00:00Z" });
  vi.advanceTimersByTime(300);
  list.hold();
  change("c", NEWER);
  change("a", { status: "resolved" });
  list.touch(["a"], true);
  expect(list.ids).toEqual(["b", "c"]);
  expect(list.held).toBe(1);
});
