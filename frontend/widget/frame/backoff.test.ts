import { expect, it } from "vitest";

import { backOff } from "./backoff";

it("waits longer with every failure, half a minute at most, and never all clients at once", () => {
  expect([0, 1, 2, 20].map((attempts) => backOff(attempts, () => 1))).toEqual([500, 1000, 2000, 30000]);
  expect(backOff(20, () => 0)).toBe(0);
});
