import type core from "./locales/en/core.json";
import type door from "./locales/en/door.json";
import type settings from "./locales/en/settings.json";
import { pluralCategory } from "./format";

export type Key = keyof typeof core | keyof typeof door | keyof typeof settings;
export type Params = Record<string, string | number>;
type Catalogue = Record<string, string>;

const texts = new Map<string, string>();

/** Adds the texts of a catalogue; rooms that load later bring their own. */
export function addTexts(catalogue: Catalogue): void {
  for (const [key, text] of Object.entries(catalogue)) texts.set(key, text);
}

/** Index of the brace that closes the one at `open`. */
function closing(text: string, open: number): number {
  let depth = 0;
  for (let index = open; index < text.length; index++) {
    if (text[index] === "{") depth++;
    else if (text[index] === "}" && --depth === 0) return index;
  }
  throw new SyntaxError(`unbalanced braces: ${text}`);
}

/** `one {…} other {…}` as a map. */
function branches(text: string): Map<string, string> {
  const found = new Map<string, string>();
  let rest = text.trim();
  while (rest) {
    const open = rest.indexOf("{");
    const close = closing(rest, open);
    found.set(rest.slice(0, open).trim(), rest.slice(open + 1, close));
    rest = rest.slice(close + 1).trim();
  }
  return found;
}

function choose(argument: string, params: Params): string {
  const [name = "", kind = "", ...tail] = argument.split(",");
  const value = params[name.trim()];
  if (!kind) return String(value ?? `{${name}}`);
  const options = branches(tail.join(","));
  if (kind.trim() === "select") return format(options.get(String(value)) ?? options.get("other") ?? "", params);
  const number = Number(value);
  const text = options.get(`=${number}`) ?? options.get(pluralCategory(number)) ?? options.get("other") ?? "";
  return format(text.replaceAll("#", String(number)), params);
}

/** Fills a text: {name}, {n, plural, one {# file} other {# files}}, {x, select, a {…} other {…}}. A subset of ICU. */
export function format(text: string, params: Params): string {
  let result = "";
  let at = 0;
  for (let open = text.indexOf("{"); open >= 0; open = text.indexOf("{", at)) {
    const close = closing(text, open);
    result += text.slice(at, open) + choose(text.slice(open + 1, close), params);
    at = close + 1;
  }
  return result + text.slice(at);
}

/** The text of `key` in the language of the page. A key without a text shows itself. */
export function t(key: Key, params: Params = {}): string {
  const text = texts.get(key);
  return text === undefined ? key : format(text, params);
}
