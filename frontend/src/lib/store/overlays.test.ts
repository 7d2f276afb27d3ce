import { expect, it } from "vitest";

import { conversation } from "../../../test/fake/factories";
import { conflicts, inverse, Overlays, withPatch } from "./overlays";

it("an unconfirmed change lies over the row and leaves it as it is", () => {
  const overlays = new Overlays();
  const row = conversation();
  const key = overlays.add("v1", { status: "resolved" });
  expect(overlays.over(row).status).toBe("resolved");
  expect(row.status).toBe("open");
  overlays.remove("v1", key);
  expect(overlays.over(row)).toBe(row);
});

it("undoing brings back what was there before", () => {
  const row = conversation({ assignee_id: "a2", status: "snoozed", snoozed_until: "2026-12-01T09:00:00Z" });
  const patch = { status: "resolved", assignee_id: "a1" } as const;
  const back = inverse(row, patch);
  expect(withPatch(withPatch(row, patch), back)).toMatchObject({ status: "snoozed", assignee_id: "a2", snoozed_until: row.snoozed_until });
});

it("a change conflicts only with a change of the same field", () => {
  const base = conversation({ version: 1 });
  const current = conversation({ version: 2, assignee_id: "a2", unanswered: 3 });
  expect(conflicts(base, current, { status: "resolved" })).toEqual([]);
  expect(conflicts(base, current, { assignee_id: "a1" })).toEqual(["assignee_id"]);
  expect(conflicts(base, current, { assignee_id: "a2" })).toEqual([]);
});
