/** One shift of a week: weekday 0 = Monday, minutes since its midnight. `to` may lie after midnight, up to a day on. */
export type Shift = readonly [day: number, from: number, to: number];

const DAY = 24 * 60;

export function minutesText(minutes: number): string {
  const inDay = minutes % DAY;
  return `${String(Math.floor(inDay / 60)).padStart(2, "0")}:${String(inDay % 60).padStart(2, "0")}`;
}

/** Minutes of "HH:MM", or null. */
export function parseMinutes(text: string): number | null {
  const match = /^(\d{1,2}):(\d{2})$/.exec(text);
  if (!match) return null;
  const minutes = Number(match[1]) * 60 + Number(match[2]);
  return minutes < DAY && Number(match[2]) < 60 ? minutes : null;
}

/** A shift from two times of day. An end at or before the start lies on the next day. Null for what is no time. */
export function shiftOf(day: number, from: string, to: string): Shift | null {
  const start = parseMinutes(from);
  const end = parseMinutes(to);
  if (start === null || end === null) return null;
  return [day, start, end > start ? end : end + DAY];
}

export const OFFICE_HOURS: readonly Shift[] = [0, 1, 2, 3, 4].map((day) => [day, 9 * 60, 17 * 60] as const);
