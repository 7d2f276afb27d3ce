import { expect, it } from "vitest";

import { backoff } from "./backoff";
import { parseCursor } from "./cursor";

it("the wait doubles up to thirty seconds", () => {
  expect([0, 1, 2, 3].map((attempt) => backoff(attempt, 1))).toEqual([500, 1_000, 2_000, 4_000]);
  expect(backoff(50, 1)).toBe(30_000);
});

it("the wait is anything below that, so that browsers do not come back together", () => {
  expect(backoff(3, 0)).toBe(0);
  expect(backoff(3, 0.5)).toBe(2_000);
});

it("a cursor is an epoch and a number, and nothing else", () => {
  expect(parseCursor("ab:c:12")).toEqual({ epoch: "ab:c", seq: 12 });
  expect([null, "", "12", ":12", "a:x", "a:1.5"].map((text) => parseCursor(text))).toEqual([null, null, null, null, null, null]);
});
