import { describe, expect, it } from "vitest";

import type { VisitorMessage } from "./contract";
import { lastSort, merge, optimistic, unreadCount, unsent, waiting, withLocal } from "./thread";

function from(who: "agent" | "visitor", sort: string, values: Partial<VisitorMessage> = {}): VisitorMessage {
  return { id: `id-${sort}`, from: who, text: sort, at: "2026-11-21T10:00:00Z", sort, version: 1, ...values };
}

const outgoing = { client_message_id: "own-1", text: "hello", attachments: [] };
const written = optimistic(outgoing, [], new Date("2026-11-21T10:00:00Z"));

describe("the thread", () => {
  it("keeps the server's order whatever order messages arrive in", () => {
    const entries = merge(merge([], [from("agent", "3"), from("agent", "1")]), [from("visitor", "2")]);
    expect(entries.map((entry) => entry.sort)).toEqual(["1", "2", "3"]);
    expect(lastSort(entries)).toBe("3");
  });

  it("shows a message once, however often it arrives", () => {
    expect(merge(merge([], [from("agent", "1")]), [from("agent", "1"), from("agent", "1")])).toHaveLength(1);
  });

  it("shows what is not sent yet after everything that the server has placed", () => {
    const entries = merge([written], [from("agent", "1"), from("agent", "2")]);
    expect(entries.at(-1)?.key).toBe("own-1");
  });

  it("puts the server's message in the place of the optimistic one, under the same key", () => {
    const entries = merge([written, ...[]], [from("visitor", "1", { client_message_id: "own-1" }), from("agent", "2")]);
    expect(entries.map((entry) => entry.key)).toEqual(["own-1", "id-2"]);
    expect(entries[0]?.local).toBeUndefined();
    expect(unsent(entries)).toEqual([]);
  });

  it("never goes back to an older state of a message", () => {
    const newer = merge([], [from("agent", "1", { version: 3, text: "edited" })]);
    expect(merge(newer, [from("agent", "1", { version: 2, text: "old" })])[0]?.text).toBe("edited");
  });

  it("does not wait for what has failed, but does not forget it", () => {
    const entries = withLocal([written], "own-1", "failed", "too large");
    expect(waiting(entries)).toEqual([]);
    expect(unsent(entries)[0]?.local?.reason).toBe("too large");
  });

  it("counts as unread what neither the server nor this window has seen", () => {
    const entries = merge([], [
      from("agent", "1", { state: "read" }),
      from("agent", "2", { state: "delivered" }),
      from("agent", "3"),
      from("visitor", "4"),
      from("agent", "5", { deleted: true }),
    ]);
    expect(unreadCount(entries, "")).toBe(2);
    expect(unreadCount(entries, "2")).toBe(1);
  });
});
