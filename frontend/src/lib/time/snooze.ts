/** The ready-made ends of a snooze, in the agent's own clock. */
export interface SnoozeChoice {
  key: "hour" | "hours" | "tomorrow" | "monday";
  until: Date;
}

const HOUR = 3_600_000;

/** Nine in the morning, `days` calendar days after `now`; right across a change of the clocks. */
function nineAfter(now: Date, days: number): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, 9);
}

export function snoozeChoices(now: Date): SnoozeChoice[] {
  const untilMonday = (8 - now.getDay()) % 7 || 7;
  return [
    { key: "hour", until: new Date(now.getTime() + HOUR) },
    { key: "hours", until: new Date(now.getTime() + 3 * HOUR) },
    { key: "tomorrow", until: nineAfter(now, 1) },
    { key: "monday", until: nineAfter(now, untilMonday) },
  ];
}

/** The value of a datetime-local field for an instant, in local time. */
export function localInput(at: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}
