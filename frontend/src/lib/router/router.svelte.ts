/** A place in the app and the values in its address. */
export interface Match<Name extends string> {
  name: Name;
  params: Record<string, string>;
}

/** Finds the first pattern that fits. `:name` stands for one segment. */
export function matchPath<Name extends string>(routes: readonly (readonly [Name, string])[], path: string): Match<Name> | null {
  const have = path.split("/").filter(Boolean);
  for (const [name, pattern] of routes) {
    const want = pattern.split("/").filter(Boolean);
    if (want.length !== have.length) continue;
    const params: Record<string, string> = {};
    const fits = want.every((part, index) => {
      if (!part.startsWith(":")) return part === have[index];
      params[part.slice(1)] = decodeSegment(have[index]!);
      return true;
    });
    if (fits) return { name, params };
  }
  return null;
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** The address bar as state. Links inside the app change it without loading a page. */
class Router {
  path = $state(typeof location === "undefined" ? "/" : location.pathname);
  search = $state(typeof location === "undefined" ? "" : location.search);
  query = $derived(new URLSearchParams(this.search));

  start(): void {
    window.addEventListener("popstate", () => this.read());
    document.addEventListener("click", (event) => this.follow(event));
  }

  go(target: string, options: { replace?: boolean } = {}): void {
    if (target === location.pathname + location.search) return;
    history[options.replace ? "replaceState" : "pushState"](null, "", target);
    this.read();
  }

  private read(): void {
    this.path = location.pathname;
    this.search = location.search;
  }

  private follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (!link.hasAttribute("data-app")) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

export const router = new Router();
