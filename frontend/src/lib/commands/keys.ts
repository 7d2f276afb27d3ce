/** A key combination as commands write it: "e", "Shift+e", "Mod+k", "g m". Mod is ⌘ on a Mac and Ctrl elsewhere. */

const LATIN_KEY = /^Key([A-Z])$/;

export const isMac = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform);

/**
 * The key that was pressed. On a layout without Latin letters (Russian: "о" where "j" stands) the place of the key
 * decides; and an open IME owns every key, so there is none.
 */
export function pressed(event: KeyboardEvent): string | null {
  if (event.isComposing || event.keyCode === 229) return null;
  const latin = LATIN_KEY.exec(event.code)?.[1]?.toLowerCase();
  const isPlainAscii = event.key.length === 1 && event.key.charCodeAt(0) < 128;
  const key = event.key.length > 1 ? event.key : isPlainAscii ? event.key.toLowerCase() : (latin ?? event.key);
  const mod = isMac ? event.metaKey : event.ctrlKey;
  const other = isMac ? event.ctrlKey : event.metaKey;
  if (other || event.altKey) return null;
  const isLetter = /^[a-z]$/.test(key) || key.length > 1;
  return `${mod ? "Mod+" : ""}${event.shiftKey && isLetter ? "Shift+" : ""}${key}`;
}

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=button])");
}

/** A combination as people read it. */
export function keyWords(keys: string): string {
  return keys
    .replaceAll("Mod+", isMac ? "⌘" : "Ctrl+")
    .replaceAll("Shift+", isMac ? "⇧" : "Shift+")
    .replace("ArrowDown", "↓")
    .replace("ArrowUp", "↑")
    .replace("Escape", "Esc")
    .replace(/\b[a-z]\b/g, (letter) => letter.toUpperCase());
}
