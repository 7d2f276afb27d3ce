import { expect, it } from "vitest";

import type { Pending } from "$lib/store/outgoing.svelte";
import { message } from "../../../test/fake/factories";
import { threadItems } from "./items";

const at = (day: number, hour = 9) => new Date(2026, 10, day, hour).toISOString();
const pending: Pending = { key: "k1", conversationId: "v1", text: "hi", isNote: false, attachments: [], replyTo: null, at: at(21), phase: "posting", words: "" };

it("a line stands between two days", () => {
  const items = threadItems([message({ id: "a", at: at(20) }), message({ id: "b", at: at(21) })], [], false);
  expect(items.map((item) => item.kind)).toEqual(["day", "message", "day", "message"]);
});

it("what the server has is not shown a second time as pending, and keeps its key", () => {
  const before = threadItems([], [pending], false);
  const after = threadItems([message({ id: "m", client_key: "k1" })], [pending], false);
  expect(before.at(-1)?.key).toBe("k1");
  expect(after.at(-1)?.key).toBe("k1");
  expect(after.filter((item) => item.kind === "pending")).toEqual([]);
});

it("keys stay unique when a day comes twice", () => {
  const items = threadItems([message({ id: "a", at: at(20) }), message({ id: "b", at: at(21) }), message({ id: "c", at: at(20, 10) })], [], true);
  expect(new Set(items.map((item) => item.key)).size).toBe(items.length);
});
