/** The current minute, shared by everything that shows a time. */
class Clock {
  now = $state.raw(new Date());

  constructor() {
    if (typeof window === "undefined") return;
    const tick = () => {
      this.now = new Date();
      window.setTimeout(tick, 60_000 - (Date.now() % 60_000) + 20);
    };
    window.setTimeout(tick, 60_000 - (Date.now() % 60_000) + 20);
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.now = new Date();
    });
  }
}

export const clock = new Clock();
