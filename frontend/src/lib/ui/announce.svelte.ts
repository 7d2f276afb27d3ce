const APART_MS = 5_000;

/** What a screen reader hears politely: counts, at most one sentence in five seconds, never every message. */
class Announcer {
  text = $state("");
  private last = 0;
  private timer = 0;

  say(text: string): void {
    window.clearTimeout(this.timer);
    const wait = Math.max(0, this.last + APART_MS - Date.now());
    this.timer = window.setTimeout(() => {
      this.last = Date.now();
      this.text = text;
    }, wait);
  }
}

export const announcer = new Announcer();
