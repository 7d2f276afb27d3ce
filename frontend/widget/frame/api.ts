/** The widget's HTTP calls. Every failure is a Refused (the server's words) or an Unreachable. */

import type { Config, MessagePage, Outgoing, Session } from "./contract";

const TIMEOUT_MS = 20_000;

/** The server answered, and not with what was asked for. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly words: string,
    readonly retryAfter: number | null,
  ) {
    super(words);
  }

  /** Whether the same request may succeed later. */
  get passing(): boolean {
    return this.status >= 500 || this.status === 429 || this.status === 408;
  }
}

/** No answer: offline, timed out, or cut. */
export class Unreachable extends Error {}

interface Problem {
  detail?: string;
  title?: string;
}

export function refused(status: number, text: string, retryAfter: string | null): Refused {
  let problem: Problem = {};
  try {
    problem = JSON.parse(text) as Problem;
  } catch {
    // A proxy's page instead of ours: the status is all there is to tell.
  }
  const seconds = Number(retryAfter);
  return new Refused(status, problem.detail ?? problem.title ?? "", seconds > 0 ? seconds : null);
}

export type Receipt = { type: "received" | "seen"; message_id: string };
type Token = string | null;

export class Api {
  constructor(readonly base: string) {}

  config(): Promise<Config> {
    return this.call("GET", "/config", null);
  }

  session(body: { token?: string; locale: string; time_zone: string }): Promise<Session> {
    return this.call("POST", "/session", null, body);
  }

  messages(token: Token, where: { after?: string; before?: string } = {}): Promise<MessagePage> {
    const query = new URLSearchParams(where).toString();
    return this.call("GET", `/messages${query && `?${query}`}`, token);
  }

  send(token: Token, outgoing: Outgoing): Promise<{ client_message_id: string }> {
    return this.call("POST", "/messages", token, outgoing);
  }

  receipt(token: Token, receipt: Receipt): Promise<unknown> {
    return this.call("POST", "/receipts", token, receipt);
  }

  fileUrl(token: Token, id: string, download = false): string {
    const query = new URLSearchParams({ token: token ?? "", ...(download ? { download: "1" } : {}) });
    return `${this.base}/files/${encodeURIComponent(id)}?${query}`;
  }

  socketUrl(): string {
    return new URL(`${this.base}/realtime`, location.href).href.replace(/^http/, "ws");
  }

  private async call<T>(method: string, path: string, token: Token, body?: unknown): Promise<T> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.base + path, {
        method,
        credentials: "omit",
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          ...(token ? { Authorization: `Bearer ${token}` } : {}),
          ...(body ? { "Content-Type": "application/json" } : {}),
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      text = await response.text();
    } catch {
      throw new Unreachable();
    }
    if (!response.ok) throw refused(response.status, text, response.headers.get("Retry-After"));
    return (text ? JSON.parse(text) : undefined) as T;
  }
}
