import { beforeEach, describe, expect, it } from "vitest";

import { backAt, daysAway, pick, speak, t } from "./i18n";
import en from "./locales/en.json";
import es from "./locales/es.json";
import ru from "./locales/ru.json";
import zh from "./locales/zh.json";

const catalogues = { en, es, ru, zh };
const names = (words: string): string[] => [...new Set(words.match(/\{\w+\}/g) ?? [])].sort();

describe.each(Object.entries(catalogues))("the catalogue %s", (language, catalogue) => {
  it("has every key, and in it every value that English has", () => {
    expect(Object.keys(catalogue).sort()).toEqual(Object.keys(en).sort());
    for (const [key, words] of Object.entries(catalogue)) {
      expect([key, names(words)]).toEqual([key, names(en[key as keyof typeof en])]);
    }
  });

  it("has a form for every plural category of its language", () => {
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories.length;
    for (const [key, words] of Object.entries(catalogue)) {
      if (en[key as keyof typeof en].includes("|")) expect([key, words.split("|").length]).toEqual([key, forms]);
    }
  });
});

describe("words", () => {
  beforeEach(() => speak(["ru-RU"]));

  it("agree with the number", () => {
    expect(t("new_messages", { n: 1 })).toBe("1 новое сообщение");
    expect(t("new_messages", { n: 3 })).toBe("3 новых сообщения");
    expect(t("new_messages", { n: 11 })).toBe("11 новых сообщений");
  });

  it("are never taken from a value that looks like a placeholder", () => {
    expect(t("new_message", { name: "{text}", text: "hi" })).toBe("{text}: hi");
  });

  it("come in the first language that we have, English when there is none", () => {
    expect(pick(["fr-FR", "es-MX", "en"])).toBe("es");
    expect(pick(["fr", ""])).toBe("en");
  });
});

describe("times", () => {
  beforeEach(() => speak(["en-GB"]));
  const now = new Date(2026, 10, 21, 23, 30);

  it("count days as the calendar does, not in hours", () => {
    expect(daysAway(new Date(2026, 10, 22, 0, 10).toISOString(), now)).toBe(1);
    expect(daysAway(new Date(2026, 10, 20, 23, 50).toISOString(), now)).toBe(-1);
  });

  it("say when somebody is back", () => {
    expect(backAt(new Date(2026, 10, 21, 23, 45).toISOString(), now)).toBe("Back at 23:45. Leave a message");
    expect(backAt(new Date(2026, 10, 22, 9).toISOString(), now)).toBe("Back tomorrow at 09:00. Leave a message");
    expect(backAt(new Date(2026, 10, 23, 9).toISOString(), now)).toBe("Back on Monday at 09:00. Leave a message");
  });
});
