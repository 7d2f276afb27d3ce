import { afterEach, expect, it } from "vitest";

import { setLanguage } from "./format";
import { pickLocale } from "./locales";
import { format } from "./runtime";

afterEach(() => setLanguage("en"));

it("names are filled in", () => {
  expect(format("{who} assigned this to {agent}", { who: "Olga", agent: "Diego" })).toBe("Olga assigned this to Diego");
});

it("numbers choose their form, and # is the number", () => {
  const text = "{n, plural, =0 {nothing} one {# file} other {# files}}";
  expect([0, 1, 2].map((n) => format(text, { n }))).toEqual(["nothing", "1 file", "2 files"]);
});

it("numbers choose the form of their language", () => {
  setLanguage("ru");
  const text = "{n, plural, one {# файл} few {# файла} many {# файлов} other {# файла}}";
  expect([1, 3, 5, 21].map((n) => format(text, { n }))).toEqual(["1 файл", "3 файла", "5 файлов", "21 файл"]);
});

it("words choose a branch, which may hold names", () => {
  const text = "{state, select, none {} other {, {state}}}";
  expect(format(text, { state: "none" })).toBe("");
  expect(format(text, { state: "Sent" })).toBe(", Sent");
});

it("a value with braces is text, not a pattern", () => {
  expect(format("Hello {name}", { name: "{n}" })).toBe("Hello {n}");
});

it("a language that is not there falls back to English", () => {
  expect(pickLocale(["xx-YY", "en-GB"])).toBe("en");
  expect(pickLocale([])).toBe("en");
});
