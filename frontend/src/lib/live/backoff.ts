const FIRST_MS = 500;
const MOST_MS = 30_000;

/** Milliseconds before try number `attempt` (0 first): doubling up to 30 s, with full jitter so that a thousand
 * browsers do not come back in one instant. `random` is in [0, 1). */
export function backoff(attempt: number, random: number): number {
  return Math.round(Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempt, 10)) * random);
}
