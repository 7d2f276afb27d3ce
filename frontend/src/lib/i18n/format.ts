/** The only place that constructs Intl objects: each costs more than rendering a row, so each is made once. */

const cache = new Map<string, Intl.DateTimeFormat>();
let language = "en";
let plural = new Intl.PluralRules(language);
let number = new Intl.NumberFormat(language);
let relative = new Intl.RelativeTimeFormat(language, { numeric: "auto" });

export function setLanguage(tag: string): void {
  language = tag;
  cache.clear();
  plural = new Intl.PluralRules(tag);
  number = new Intl.NumberFormat(tag);
  relative = new Intl.RelativeTimeFormat(tag, { numeric: "auto" });
}

export function pluralCategory(value: number): string {
  return plural.select(value);
}

export function formatNumber(value: number): string {
  return number.format(value);
}

export function formatRelative(value: number, unit: Intl.RelativeTimeFormatUnit): string {
  return relative.format(value, unit);
}

/** A date in words. Throws RangeError for a zone that this browser does not know. */
export function formatDate(at: Date | number, options: Intl.DateTimeFormatOptions): string {
  const key = JSON.stringify(options);
  let formatter = cache.get(key);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat(language === "en" ? undefined : language, options);
    cache.set(key, formatter);
  }
  return formatter.format(at);
}

/** Parts of an instant as the clocks of `zone` show it, in numbers. */
export function zonedParts(at: Date | number, zone: string): Record<"year" | "month" | "day" | "hour" | "minute", number> {
  const key = `parts ${zone}`;
  let formatter = cache.get(key);
  if (!formatter) {
    formatter = new Intl.DateTimeFormat("en-u-hc-h23", {
      timeZone: zone, year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric",
    });
    cache.set(key, formatter);
  }
  const parts = Object.fromEntries(formatter.formatToParts(at).map((part) => [part.type, Number(part.value)]));
  return parts as Record<"year" | "month" | "day" | "hour" | "minute", number>;
}

export function languageName(tag: string): string {
  try {
    return new Intl.DisplayNames([language], { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

export function regionalZones(): string[] {
  return Intl.supportedValuesOf("timeZone");
}

export function browserZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** The first `count` characters as a reader sees them: an emoji sequence is one. */
export function firstCharacters(text: string, count: number): string {
  let result = "";
  for (const { segment } of segmenter.segment(text.slice(0, 64))) {
    if (count-- === 0) break;
    result += segment;
  }
  return result;
}
