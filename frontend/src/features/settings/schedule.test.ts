import { expect, it } from "vitest";

import { minutesText, parseMinutes, shiftOf } from "./schedule";

it("a shift may end after midnight", () => {
  expect(shiftOf(4, "22:00", "06:00")).toEqual([4, 1320, 1800]);
  expect(minutesText(1800)).toBe("06:00");
});

it("a shift from one time to the same is a whole day", () => {
  expect(shiftOf(0, "08:00", "08:00")).toEqual([0, 480, 480 + 1440]);
});

it("what is no time is no shift", () => {
  expect(["", "9", "24:00", "12:60", "ab:cd"].map(parseMinutes)).toEqual([null, null, null, null, null]);
  expect(shiftOf(0, "", "10:00")).toBeNull();
});
