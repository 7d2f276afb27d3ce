import { backoff } from "./backoff";
import { CLOSE_FORBIDDEN, CLOSE_SIGNED_OUT, decodeFrames, type ClientFrame, type ServerFrame } from "./protocol";

const PING_MS = 20_000;
const DEAD_AFTER_MS = 2 * PING_MS + 5_000;
const CONNECT_MS = 10_000;

export interface SocketHooks {
  /** Where to resume. Asked at each connect. */
  cursor(): string | null;
  onOpen(): void;
  onFrames(frames: ServerFrame[]): void;
  /** The link is gone; another try follows by itself. Called once per loss. */
  onLost(): void;
  onSignedOut(): void;
}

/**
 * One connection to `url` that comes back by itself: with jittered back-off, and at once when the browser says that
 * it is online or visible again. A link that answers neither frames nor pings for 45 s is taken for dead. It sends
 * nothing after `stop`.
 */
export class LiveSocket {
  private socket: WebSocket | null = null;
  private attempt = 0;
  private heardAt = 0;
  private waiting = 0;
  private pinging = 0;
  private lost = true;
  private stopped = true;
  private readonly comeBack = () => {
    if (document.visibilityState === "visible") this.hurry();
  };

  constructor(
    private readonly url: string,
    private readonly hooks: SocketHooks,
  ) {}

  start(): void {
    this.stopped = false;
    window.addEventListener("online", this.comeBack);
    window.addEventListener("offline", this.goOffline);
    document.addEventListener("visibilitychange", this.comeBack);
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    window.removeEventListener("online", this.comeBack);
    window.removeEventListener("offline", this.goOffline);
    document.removeEventListener("visibilitychange", this.comeBack);
    this.drop();
  }

  /** Sends when the link is open. Returns whether it did; nothing is kept for later. */
  send(frame: ClientFrame): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  /** Drops the link and resumes from the cursor, after about `delay` milliseconds. */
  reconnect(delay = 0): void {
    this.retry(delay);
  }

  private readonly goOffline = () => this.lose();

  /** Connects now if the link is down, or asks for a sign of life if it is up. */
  private hurry(): void {
    if (this.stopped) return;
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.checkAlive();
      this.send({ type: "ping" });
    } else {
      this.attempt = 0;
      this.drop();
      this.connect();
    }
  }

  private connect(): void {
    this.drop();
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.heardAt = performance.now();
    this.waiting = window.setTimeout(() => this.retry(), CONNECT_MS);
    socket.onopen = () => {
      window.clearTimeout(this.waiting);
      this.lost = false;
      this.hooks.onOpen();
      this.send({ type: "resume", cursor: this.hooks.cursor() });
      this.pinging = window.setInterval(() => this.beat(), PING_MS);
    };
    socket.onmessage = (message) => this.receive(String(message.data));
    socket.onclose = (event) => this.closed(event.code);
  }

  private receive(text: string): void {
    this.heardAt = performance.now();
    const frames = decodeFrames(text);
    const bye = frames.find((frame) => frame.type === "bye");
    // A server that says good-bye names its own delay; otherwise the first frame proves that the link works.
    if (!bye) this.attempt = 0;
    this.hooks.onFrames(frames);
    // Without a delay the close code that follows says what to do.
    if (typeof bye?.retry_after_ms === "number") this.retry(bye.retry_after_ms);
  }

  private closed(code: number): void {
    if (code === CLOSE_SIGNED_OUT || code === CLOSE_FORBIDDEN) {
      this.stop();
      this.hooks.onSignedOut();
    } else {
      this.retry();
    }
  }

  private beat(): void {
    this.checkAlive();
    this.send({ type: "ping" });
  }

  private checkAlive(): void {
    if (performance.now() - this.heardAt > DEAD_AFTER_MS) this.reconnect();
  }

  private lose(): void {
    this.drop();
    if (this.lost) return;
    this.lost = true;
    this.hooks.onLost();
  }

  private retry(delay?: number): void {
    if (this.stopped) return;
    this.lose();
    const wait = delay === undefined ? backoff(this.attempt, Math.random()) : delay * (1 + Math.random());
    this.attempt += 1;
    this.waiting = window.setTimeout(() => this.connect(), wait);
  }

  private drop(): void {
    window.clearTimeout(this.waiting);
    window.clearInterval(this.pinging);
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}

/** The address of the gateway beside this page. */
export function gatewayUrl(location: Pick<Location, "protocol" | "host">): string {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/realtime`;
}
