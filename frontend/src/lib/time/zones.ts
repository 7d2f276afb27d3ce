import { zonedParts } from "$lib/i18n/format";
import { t } from "$lib/i18n/runtime";
import { clockTime } from "./words";

const NIGHT_FROM = 22;
const NIGHT_TO = 7;

export interface ZoneClock {
  time: string;
  city: string;
  /** Between 22:00 and 07:00 there. */
  isNight: boolean;
  /** "+3 h", "−5 h 30 m", or "" when both clocks agree. */
  difference: string;
}

export function offsetMinutes(at: Date, zone: string): number {
  const { year, month, day, hour, minute } = zonedParts(at, zone);
  const wall = Date.UTC(year, month - 1, day, hour, minute);
  return Math.round((wall - Math.floor(at.getTime() / 60_000) * 60_000) / 60_000);
}

export function cityOf(zone: string): string {
  return (zone.split("/").at(-1) ?? zone).replaceAll("_", " ");
}

function differenceWords(minutes: number): string {
  if (minutes === 0) return "";
  const size = Math.abs(minutes);
  const words = size % 60 ? t("time.hoursMinutes", { h: Math.floor(size / 60), m: size % 60 }) : t("time.hours", { n: size / 60 });
  return `${minutes > 0 ? "+" : "−"}${words}`;
}

/** What the clock shows in `zone` at `now`, or null for no zone or one that this browser does not know. */
export function zoneClock(zone: string | null | undefined, now: Date): ZoneClock | null {
  if (!zone) return null;
  try {
    const { hour } = zonedParts(now, zone);
    return {
      time: clockTime(now, zone),
      city: cityOf(zone),
      isNight: hour >= NIGHT_FROM || hour < NIGHT_TO,
      difference: differenceWords(offsetMinutes(now, zone) + now.getTimezoneOffset()),
    };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
