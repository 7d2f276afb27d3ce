const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/** Milliseconds to wait after `attempts` failures in a row. Full jitter: anywhere up to 0.5 s doubled per
 * attempt, 30 s at most. */
export function backOff(attempts: number, random: () => number = Math.random): number {
  return random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempts, 10));
}
