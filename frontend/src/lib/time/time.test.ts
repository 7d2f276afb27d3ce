import { beforeAll, describe, expect, it } from "vitest";

import { loadTexts } from "$lib/i18n/locales";
import { localInput, snoozeChoices } from "./snooze";
import { duration, waitingTime } from "./words";
import { offsetMinutes, zoneClock } from "./zones";

beforeAll(() => loadTexts("core"));

describe("a clock elsewhere", () => {
  it("knows half hours and summer time", () => {
    expect(offsetMinutes(new Date("2026-01-15T12:00:00Z"), "Asia/Kolkata")).toBe(330);
    expect(offsetMinutes(new Date("2026-01-15T12:00:00Z"), "Europe/Berlin")).toBe(60);
    expect(offsetMinutes(new Date("2026-07-15T12:00:00Z"), "Europe/Berlin")).toBe(120);
  });

  it("knows night from day", () => {
    expect(zoneClock("Asia/Tokyo", new Date("2026-11-21T14:00:00Z"))?.isNight).toBe(true);
    expect(zoneClock("Asia/Tokyo", new Date("2026-11-21T03:00:00Z"))?.isNight).toBe(false);
  });

  it("is not shown for a zone that nobody knows", () => {
    expect(zoneClock("Mars/Olympus", new Date())).toBeNull();
    expect(zoneClock(null, new Date())).toBeNull();
  });
});

describe("snoozing", () => {
  it("until Monday is never today", () => {
    const monday = new Date(2026, 10, 23, 8, 0);
    const until = snoozeChoices(monday).find((choice) => choice.key === "monday")!.until;
    expect([until.getDay(), until.getDate(), until.getHours()]).toEqual([1, 30, 9]);
  });

  it("until tomorrow is nine in the morning", () => {
    const until = snoozeChoices(new Date(2026, 10, 30, 23, 30)).find((choice) => choice.key === "tomorrow")!.until;
    expect([until.getMonth(), until.getDate(), until.getHours(), until.getMinutes()]).toEqual([11, 1, 9, 0]);
  });

  it("fills the field in local time", () => {
    expect(localInput(new Date(2026, 0, 5, 7, 3))).toBe("2026-01-05T07:03");
  });
});

describe("durations", () => {
  it("say how long somebody waits", () => {
    const now = new Date("2026-11-21T12:00:00Z");
    const ago = (minutes: number) => waitingTime(new Date(now.getTime() - minutes * 60_000).toISOString(), now);
    expect([0, 5, 60, 70, 60 * 24 * 3, -5].map(ago)).toEqual(["now", "5 m", "1 h", "1 h 10 m", "3 d", "now"]);
  });

  it("say how long a recording is", () => {
    expect([0, 7.4, 65, 600].map(duration)).toEqual(["0:00", "0:07", "1:05", "10:00"]);
  });
});
