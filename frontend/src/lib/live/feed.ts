import type { LiveEvent } from "$lib/api/types";
import { isAhead, isOld, parseCursor, type Cursor } from "./cursor";
import { hasCursor, isEvent, type ServerFrame } from "./protocol";

export type LinkState = "connecting" | "catching-up" | "live" | "offline";

/** A stream that is this quiet, in milliseconds, has been caught up with. */
const QUIET_MS = 250;
/** An event younger than this comes from now, not from what was missed. */
const FRESH_MS = 3_000;

export interface FeedHooks {
  /** Everything that arrived since the last call, in order, each event once. */
  onEvents(events: LiveEvent[]): void;
  /** The server cannot tell what was missed: read everything again. Resolves to the cursor of that reading. */
  onReset(): Promise<string>;
  onState(state: LinkState): void;
  /** Reading everything again failed: connect again after a while. */
  onResetFailed(): void;
  /** Asks the server for a sign of life after `delay` milliseconds; a pong answers. */
  ping(delay: number): void;
  /** Runs `work` at the next frame on screen, or soon when the page is hidden. */
  schedule(work: () => void): void;
  /** Milliseconds since 1970. */
  now(): number;
}

/**
 * Turns frames into batches of events, each once and in order, and knows how far it has read. It says "live" only
 * when the server has taken the cursor and what was missed has arrived: that is, when the server's heartbeat, a quiet
 * stream or an event of this moment shows it.
 */
export class Feed {
  private at: Cursor | null;
  private eventAt = 0;
  private queue: LiveEvent[] = [];
  private scheduled = false;
  private resetting = false;
  private resetAgain = false;
  private welcomed = false;
  state: LinkState = "connecting";

  constructor(
    cursor: string | null,
    private readonly hooks: FeedHooks,
  ) {
    this.at = parseCursor(cursor);
  }

  get cursor(): string | null {
    return this.at && `${this.at.epoch}:${this.at.seq}`;
  }

  opened(): void {
    this.welcomed = false;
    this.setState("catching-up");
  }

  lost(): void {
    this.welcomed = false;
    this.setState("offline");
  }

  receive(frames: readonly ServerFrame[]): void {
    for (const frame of frames) this.take(frame);
  }

  private take(frame: ServerFrame): void {
    if (hasCursor(frame)) {
      this.takeEvent(frame);
      return;
    }
    switch (frame.type) {
      case "welcome":
        this.welcomed = true;
        if (!frame.resumed) this.reset();
        else this.hooks.ping(0);
        break;
      case "reset":
        this.welcomed = true;
        this.reset();
        break;
      case "head":
        this.takeHead(parseCursor(frame.cursor));
        break;
      case "pong":
        this.takePong();
        break;
      case "bye":
        break;
    }
  }

  private takeEvent(frame: { type: string; cursor: string; data: unknown }): void {
    const cursor = parseCursor(frame.cursor);
    if (!this.resetting) {
      if (isOld(cursor, this.at)) return;
      this.at = cursor ?? this.at;
    }
    this.eventAt = this.hooks.now();
    // A type that this page is too old to know moves the cursor on and changes nothing.
    if (isEvent(frame)) this.queue.push(frame);
    this.scheduleFlush();
  }

  private scheduleFlush(): void {
    if (this.scheduled || this.resetting) return;
    this.scheduled = true;
    this.hooks.schedule(() => this.flush());
  }

  private flush(): void {
    this.scheduled = false;
    if (this.resetting || this.queue.length === 0) return;
    const events = this.queue;
    this.queue = [];
    this.hooks.onEvents(events);
    const newest = Date.parse(events.at(-1)!.at);
    if (this.welcomed && this.hooks.now() - newest < FRESH_MS) this.setState("live");
  }

  /**
   * Events that arrive while everything is read again wait; those that the reading already holds are dropped. A
   * second reset meanwhile means that the first reading may be too old: it is read once more.
   */
  private reset(): void {
    this.queue = [];
    if (this.resetting) {
      this.resetAgain = true;
      return;
    }
    this.resetting = true;
    this.setState("catching-up");
    this.hooks.onReset().then(
      (cursor) => this.resetDone(cursor),
      () => {
        this.resetting = this.resetAgain = false;
        this.queue = [];
        this.hooks.onResetFailed();
      },
    );
  }

  private resetDone(cursor: string): void {
    this.resetting = false;
    if (this.resetAgain) {
      this.resetAgain = false;
      this.reset();
      return;
    }
    this.at = parseCursor(cursor);
    this.queue = this.queue.filter((event) => !isOld(parseCursor(event.cursor), this.at));
    this.at = parseCursor(this.queue.at(-1)?.cursor) ?? this.at;
    if (this.queue.length > 0) this.scheduleFlush();
    this.hooks.ping(0);
  }

  /** All up to `head` that this reader may see was sent before: the cursor moves even where no event carried it. */
  private takeHead(head: Cursor | null): void {
    if (!this.welcomed || this.resetting) return;
    if (isAhead(head, this.at)) this.at = head;
    this.setState("live");
  }

  private takePong(): void {
    if (!this.welcomed || this.resetting || this.state === "live") return;
    if (this.queue.length === 0 && this.hooks.now() - this.eventAt >= QUIET_MS) this.setState("live");
    else this.hooks.ping(QUIET_MS);
  }

  private setState(state: LinkState): void {
    if (this.state === state) return;
    this.state = state;
    this.hooks.onState(state);
  }
}
