import { firstCharacters } from "$lib/i18n/format";

const HUES = 12;

/** A hue that stays with a name, so that a person keeps their colour. 0…11. */
export function stableHue(id: string): number {
  let hash = 2166136261;
  for (let index = 0; index < id.length; index++) hash = Math.imul(hash ^ id.charCodeAt(index), 16777619);
  return (hash >>> 0) % HUES;
}

/** Two letters of a name, or its first character where names are not written in two words. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/).filter(Boolean);
  if (words.length === 0) return "?";
  const ends = words.length > 1 ? [words[0]!, words.at(-1)!] : [words[0]!];
  const isLatin = /^\p{Script=Latin}/u.test(words[0]!);
  if (ends.length === 1) return firstCharacters(ends[0]!, isLatin ? 2 : 1).toLocaleUpperCase();
  return ends.map((word) => firstCharacters(word, 1)).join("").toLocaleUpperCase();
}

/** Colours for new labels: told apart in light and dark, and each 3:1 or more on both. */
export const LABEL_COLORS = ["#7a5af8", "#0e8a6a", "#c2570c", "#2f74d0", "#c0398b", "#8a7000", "#5c7080", "#d03b3b"] as const;
