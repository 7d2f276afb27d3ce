import { formatDate, formatRelative } from "$lib/i18n/format";
import { t } from "$lib/i18n/runtime";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

const sameDay = (a: Date, b: Date) => a.toDateString() === b.toDateString();

/** Days from `now` to the calendar day of `at`, in local time: 0 today, -1 yesterday. */
function dayDistance(at: Date, now: Date): number {
  const midnight = (date: Date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  return Math.round((midnight(at) - midnight(now)) / DAY);
}

export function clockTime(at: Date | string, zone?: string): string {
  return formatDate(new Date(at), { hour: "2-digit", minute: "2-digit", ...(zone ? { timeZone: zone } : {}) });
}

/** The time today, the weekday this week, the date before that: what fits at the end of a row. */
export function rowTime(at: string, now: Date): string {
  const date = new Date(at);
  if (sameDay(date, now)) return clockTime(date);
  const days = dayDistance(date, now);
  if (days > -7 && days < 7) return formatDate(date, { weekday: "short" });
  const year = date.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  return formatDate(date, { day: "numeric", month: "short", ...year });
}

/** Heading of a day in a thread. */
export function dayName(at: string, now: Date): string {
  const date = new Date(at);
  const days = dayDistance(date, now);
  if (days === 0 || days === -1) {
    const word = formatRelative(days, "day");
    return word.charAt(0).toUpperCase() + word.slice(1);
  }
  const year = date.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  return formatDate(date, { weekday: "long", day: "numeric", month: "long", ...year });
}

/** Date and time in full, for tooltips and screen readers; with the other side's clock when it differs. */
export function fullTime(at: string, zone?: string | null): string {
  const options = { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" } as const;
  const here = formatDate(new Date(at), options);
  if (!zone) return here;
  const there = formatDate(new Date(at), { ...options, timeZone: zone });
  return there === here ? here : t("time.both", { here, there });
}

/** Time of day, with the day when it is not today. */
export function whenWords(at: string, now: Date): string {
  const date = new Date(at);
  if (sameDay(date, now)) return clockTime(date);
  return formatDate(date, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

/** How long something waits, short: "now", "5 m", "1 h 10 m", "3 d". */
export function waitingTime(since: string, now: Date): string {
  const minutes = Math.max(0, Math.floor((now.getTime() - Date.parse(since)) / MINUTE));
  if (minutes < 1) return t("time.now");
  if (minutes < 60) return t("time.minutes", { n: minutes });
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? t("time.hoursMinutes", { h: hours, m: minutes % 60 }) : t("time.hours", { n: hours });
  return t("time.days", { n: Math.floor(hours / 24) });
}

/** m:ss of a recording. Seconds. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
