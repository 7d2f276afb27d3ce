/** Times and sizes as the thread writes them. */

import { daysAway, formatter, numberFormat, t } from "../i18n";

export function moment(at: string): string {
  return formatter({ dateStyle: "medium", timeStyle: "short" }).format(new Date(at));
}

export function day(at: string, now: Date): string {
  const away = daysAway(at, now);
  if (away === 0) return t("today");
  if (away === -1) return t("yesterday");
  return formatter({ weekday: "long", day: "numeric", month: "long" }).format(new Date(at));
}

export function size(bytes: number): string {
  const big = bytes >= 1_048_576;
  return numberFormat({
    style: "unit",
    unit: big ? "megabyte" : "kilobyte",
    maximumFractionDigits: big && bytes < 10_485_760 ? 1 : 0,
  }).format(Math.max(1, bytes / (big ? 1_048_576 : 1024)));
}
