export type Theme = "system" | "light" | "dark" | "hc";
export type Density = "compact" | "normal" | "comfortable";

interface Stored {
  theme: Theme;
  density: Density;
  enterSends: boolean;
  shortcuts: boolean;
}

const KEY = "prefs";
const DEFAULTS: Stored = { theme: "system", density: "normal", enterSends: false, shortcuts: true };

function load(): Stored {
  try {
    return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Stored>) };
  } catch {
    // Storage is closed or holds something else: the page works with its defaults.
    return DEFAULTS;
  }
}

const dark = typeof window === "undefined" ? null : window.matchMedia("(prefers-color-scheme: dark)");

/** What this browser remembers about how the user likes the page. Kept in this browser only. */
class Prefs {
  private stored = $state.raw<Stored>(load());

  get theme(): Theme {
    return this.stored.theme;
  }
  get density(): Density {
    return this.stored.density;
  }
  get enterSends(): boolean {
    return this.stored.enterSends;
  }
  get shortcuts(): boolean {
    return this.stored.shortcuts;
  }

  set(part: Partial<Stored>): void {
    this.stored = { ...this.stored, ...part };
    this.show();
    try {
      localStorage.setItem(KEY, JSON.stringify(this.stored));
    } catch {
      // Storage is closed: the choice holds until the page is left.
    }
  }

  /** Puts the choices on the page, and follows the system's theme where that is the choice. */
  start(): void {
    this.show();
    dark?.addEventListener("change", () => this.show());
  }

  private show(): void {
    const system = dark?.matches ? "dark" : "light";
    document.documentElement.dataset["theme"] = this.theme === "system" ? system : this.theme;
    document.documentElement.dataset["density"] = this.density;
  }
}

export const prefs = new Prefs();
