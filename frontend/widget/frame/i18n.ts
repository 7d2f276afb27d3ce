/** Words in the visitor's language. A catalogue is one JSON file; names in braces are filled in. */

export type Key = keyof typeof import("./locales/en.json");
type Catalogue = Record<Key, string>;

const loaders: Record<string, () => Promise<{ default: Catalogue }>> = {
  en: () => import("./locales/en.json"),
  es: () => import("./locales/es.json"),
  ru: () => import("./locales/ru.json"),
  zh: () => import("./locales/zh.json"),
};

// Chosen once, before the first view is drawn.
let catalogue: Catalogue;
let locale = "en";
let rules: Intl.PluralRules;

/** The first of our languages that one of `wanted` names ("es-MX" asks for es). English otherwise. */
export function pick(wanted: readonly string[]): string {
  const known = wanted.map((tag) => tag.toLowerCase().split(/[-_]/)[0]!);
  return known.find((tag) => tag in loaders) ?? "en";
}

export async function speak(wanted: readonly string[]): Promise<void> {
  const language = pick(wanted);
  catalogue = (await loaders[language]!()).default;
  // Dates as in the visitor's region: en-GB and en-US share words, not clocks.
  locale = wanted.find((tag) => tag.startsWith(language)) ?? language;
  rules = new Intl.PluralRules(language);
  document.documentElement.lang = language;
}

/** The words of `key`. With `n` in the values the plural form is chosen: "{n} file|{n} files", in the
 * order of the language's own categories as `Intl.PluralRules` lists them. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  let words = catalogue[key];
  if (typeof values.n === "number") words = plural(words, values.n);
  return words.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

const FORMS = ["one", "few", "many", "other"];

function plural(words: string, n: number): string {
  const forms = words.split("|");
  const known = FORMS.filter((form) => rules.resolvedOptions().pluralCategories.includes(form as Intl.LDMLPluralRule));
  return forms[known.indexOf(rules.select(n))] ?? forms.at(-1)!;
}

/** Date formatters are costly to make and cheap to keep. */
const cache = new Map<string, Intl.DateTimeFormat>();

export function formatter(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale + JSON.stringify(options);
  let made = cache.get(key);
  if (!made) cache.set(key, (made = new Intl.DateTimeFormat(locale, options)));
  return made;
}

export function clock(at: string | Date): string {
  return formatter({ timeStyle: "short" }).format(new Date(at));
}

/** Whole days from the visitor's today to `at`: 0 today, 1 tomorrow, -1 yesterday. */
export function daysAway(at: string, now: Date): number {
  const there = new Date(at);
  const midnight = (day: Date): number => Date.UTC(day.getFullYear(), day.getMonth(), day.getDate());
  return Math.round((midnight(there) - midnight(now)) / 86_400_000);
}

export function backAt(at: string, now: Date): string {
  const away = daysAway(at, now);
  if (away === 0) return t("back_today", { time: clock(at) });
  if (away === 1) return t("back_tomorrow", { time: clock(at) });
  return t("back_on", { day: formatter({ weekday: "long" }).format(new Date(at)), time: clock(at) });
}

export function numberFormat(options?: Intl.NumberFormatOptions): Intl.NumberFormat {
  return new Intl.NumberFormat(locale, options);
}

export function number(value: number): string {
  return numberFormat().format(value);
}
