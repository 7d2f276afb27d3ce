import { addTexts } from "./runtime";

type Loader = () => Promise<{ default: Record<string, string> }>;

/** One entry per language and catalogue; a language is complete when it has them all. */
const LOADERS = {
  en: {
    core: (): ReturnType<Loader> => import("./locales/en/core.json"),
    door: (): ReturnType<Loader> => import("./locales/en/door.json"),
    settings: (): ReturnType<Loader> => import("./locales/en/settings.json"),
  },
} satisfies Record<string, Record<string, Loader>>;

export type Locale = keyof typeof LOADERS;
export type CatalogueName = keyof (typeof LOADERS)["en"];

export function pickLocale(wanted: readonly string[]): Locale {
  const known = Object.keys(LOADERS) as Locale[];
  return wanted.map((tag) => known.find((name) => name === tag.split("-")[0])).find(Boolean) ?? "en";
}

/** Loads the texts of one catalogue for the language of this browser. */
export async function loadTexts(name: CatalogueName): Promise<void> {
  const loader: Loader = LOADERS[pickLocale(navigator.languages)][name];
  addTexts((await loader()).default);
}
