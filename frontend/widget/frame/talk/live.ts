/** One socket that keeps coming back. It carries news; what was missed is fetched by the caller. */

import { backOff } from "../backoff";
import type { ServerFrame } from "../contract";

const PING_MS = 20_000;
const DEAD_AFTER_MS = 2.5 * PING_MS;
const OPENING_MS = 15_000;
const SIGNED_OUT = 4401;

export interface LiveEvents {
  /** The server has welcomed us: everything from now on arrives. */
  up(): void;
  /** Not connected; `attempts` connections in a row did not come to a welcome. */
  down(attempts: number): void;
  frame(frame: ServerFrame): void;
  /** The server does not know the token. It is not tried again. */
  signedOut(): void;
}

export class Live {
  private socket: WebSocket | null = null;
  private attempts = 0;
  private welcomed = false;
  private heardAt = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private pulse: ReturnType<typeof setInterval> | undefined;

  constructor(
    private readonly url: string,
    private readonly token: string,
    private readonly events: LiveEvents,
  ) {}

  start(): void {
    this.stop();
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.heardAt = Date.now();
    this.pulse = setInterval(() => this.check(socket), OPENING_MS / 3);
    socket.onopen = () => socket.send(JSON.stringify({ type: "resume", cursor: null, token: this.token }));
    socket.onmessage = (event: MessageEvent<string>) => this.receive(event.data);
    socket.onclose = (event) => this.closed(socket, event.code);
  }

  stop(): void {
    clearTimeout(this.retry);
    clearInterval(this.pulse);
    const socket = this.socket;
    this.socket = null;
    this.welcomed = false;
    socket?.close();
  }

  /** Try at once instead of waiting for the back-off (the network or the visitor came back). */
  hurry(): void {
    if (this.socket === null) this.start();
  }

  private check(socket: WebSocket): void {
    const silent = Date.now() - this.heardAt;
    if (silent > (this.welcomed ? DEAD_AFTER_MS : OPENING_MS)) {
      // A dead link may take minutes to fire close: it counts as closed now.
      this.closed(socket, 1006);
      socket.close();
    } else if (this.welcomed && silent > PING_MS) socket.send(JSON.stringify({ type: "ping" }));
  }

  private receive(data: string): void {
    this.heardAt = Date.now();
    for (const frame of JSON.parse(data) as ServerFrame[]) {
      if (frame.type === "welcome" || frame.type === "reset") {
        this.welcomed = true;
        this.attempts = 0;
        this.events.up();
      } else if (frame.type === "bye") this.again(frame.retry_after_ms);
      else this.events.frame(frame);
    }
  }

  private closed(socket: WebSocket, code: number): void {
    if (socket !== this.socket) return;
    if (code === SIGNED_OUT) {
      this.stop();
      this.events.signedOut();
    } else this.again();
  }

  private again(wait = backOff(this.attempts)): void {
    this.stop();
    this.attempts += 1;
    this.events.down(this.attempts);
    this.retry = setTimeout(() => this.start(), wait);
  }
}
