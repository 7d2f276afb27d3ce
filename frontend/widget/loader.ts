/** The one script of a customer's page: draws the launcher and, when it is wanted, makes the frame.
 *
 *   <script src="https://inbox.example/widget/loader.js" data-channel="…" async></script>
 *
 * Optional: data-position="left", data-color="#7a12d4", data-locale="es". One global function,
 * MeridianChat("open" | "close" | "toggle" | "reset"). Needs of the page's CSP only script-src and
 * frame-src for our origin: styles go in as a constructed sheet, the icon is a clip path.
 */

import style from "./loader.css?inline";
import type { FromFrame, ToFrame } from "./messages";

type Command = "open" | "close" | "toggle" | "reset";

declare global {
  interface Window {
    MeridianChat?: (command: Command) => void;
  }
}

const PATIENCE_MS = 15_000;
// The launcher's name until the frame has come and tells it in full.
const NAMES: Record<string, string> = { zh: "聊天", ru: "Чат" };

/** Storage may be forbidden to the page; then the visitor is known until the page is left. */
function store(kind: "localStorage" | "sessionStorage", key: string, value?: string | null): string | null {
  try {
    const storage = window[kind];
    if (value) storage.setItem(key, value);
    else if (value === null) storage.removeItem(key);
    else return storage.getItem(key);
  } catch {
    // forbidden: see above
  }
  return value ?? null;
}

function run(script: HTMLScriptElement, channel: string): void {
  const root = document.documentElement;
  const { origin } = new URL(script.src);
  const key = `meridian-chat:${channel}`;
  const { position, color, locale = root.lang || navigator.language } = script.dataset;
  const name = NAMES[locale.slice(0, 2)] ?? "Chat";
  const phone = matchMedia("(max-width: 480px), (max-height: 420px)");
  const view = window.visualViewport;
  const add = <K extends keyof HTMLElementTagNameMap>(tag: K, parent: Node): HTMLElementTagNameMap[K] =>
    parent.appendChild(document.createElement(tag));

  const host = document.createElement("meridian-chat");
  const shadow = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  shadow.adoptedStyleSheets = [sheet];
  const box = add("div", shadow);
  box.className = position ?? "";
  const launcher = add("button", box);
  add("i", launcher);
  const badge = add("b", launcher);
  const panel = add("div", box);
  panel.className = "panel";

  let frame: HTMLIFrameElement | null = null;
  let token = store("localStorage", key);
  let ready = false;
  let wanted = false;
  let focus = true;

  const paint = (name: string, value: string): void => box.style.setProperty(`--${name}`, value);
  const say = (message: ToFrame): void => {
    if (ready) frame!.contentWindow!.postMessage(message, origin);
  };
  // On phones the keyboard covers what is fixed to the window; the visual viewport is what is left.
  const fit = (): void => {
    paint("height", `${view!.height}px`);
    paint("top", `${view!.offsetTop}px`);
  };
  const show = (): void => {
    const open = wanted && ready;
    if (open === box.classList.contains("open")) return;
    box.classList.toggle("open", open);
    launcher.ariaExpanded = `${open}`;
    store("sessionStorage", key, open && !phone.matches ? "open" : null);
    if (open && phone.matches) fit();
    say(open ? { meridian: "open", focus } : { meridian: "close" });
    if (!open) launcher.focus({ preventScroll: true });
    else if (focus) frame!.focus();
  };
  const set = (open: boolean, take = true): void => {
    wanted = open;
    focus = take;
    if (open) load();
    show();
  };
  const load = (): void => {
    if (frame) return;
    const made = add("iframe", panel);
    frame = made;
    made.title = name;
    made.src = `${origin}/widget/?${new URLSearchParams({ channel, host: location.origin, locale })}`;
    setTimeout(() => {
      if (ready || frame !== made) return;
      // Blocked by the page's CSP, or not reachable: a tab of its own works, or says why not.
      made.remove();
      launcher.onclick = () => void window.open(made.src);
    }, PATIENCE_MS);
  };

  addEventListener("message", ({ source, origin: from, data }: MessageEvent<FromFrame>) => {
    if (!frame || source !== frame.contentWindow || from !== origin) return;
    switch (data.meridian) {
      case "ready":
        ready = true;
        say({ meridian: "start", token });
        return show();
      case "look":
        paint("c", data.color);
        return paint("i", data.ink);
      case "token":
        token = store("localStorage", key, data.token);
        return;
      case "badge":
        badge.textContent = data.text;
        launcher.ariaLabel = data.label;
        return;
      case "close":
        return set(false);
      case "where":
        return say({ meridian: "page", page: { url: location.href, title: document.title } });
      case "wide":
        box.classList.toggle("wide", data.on);
    }
  });
  // Another tab became known to us, or was signed out: this one follows.
  addEventListener("storage", (event) => {
    if (event.key !== key) return;
    token = event.newValue;
    say({ meridian: "token", token });
    if (token) load();
  });
  view?.addEventListener("resize", fit);
  view?.addEventListener("scroll", fit);
  launcher.onclick = () => set(!wanted);
  launcher.onpointerenter = launcher.onfocus = load;

  window.MeridianChat = (command) => {
    if (command === "reset") {
      token = store("localStorage", key, null);
      say({ meridian: "token", token });
      set(false);
    } else set(command === "toggle" ? !wanted : command === "open");
  };

  launcher.ariaLabel = name;
  launcher.ariaExpanded = "false";
  if (color) paint("c", color);
  // On <html>, beside <body>: routers that swap the body leave it alone, and a frame that moves reloads.
  const attach = (): void => {
    if (!host.isConnected) root.appendChild(host);
  };
  new MutationObserver(attach).observe(root, { childList: true });
  attach();
  const idle = window.requestIdleCallback ?? setTimeout;
  if (!phone.matches && store("sessionStorage", key)) idle(() => set(true, false)); // open on the page before
  else if (token) idle(load);
}

const script = document.currentScript as HTMLScriptElement | null;
if (script?.dataset["channel"] && !window.MeridianChat) run(script, script.dataset["channel"]);
