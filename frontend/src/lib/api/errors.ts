import type { Conversation } from "./types";

/** Problem details as in RFC 9457, with the members that our server adds. */
export interface Problem {
  type?: string;
  title?: string;
  status: number;
  detail?: string;
  field?: string;
  retry_after?: number;
  current?: Conversation;
}

/** The server answered, and the answer was no. */
export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title ?? `HTTP ${problem.status}`);
    this.name = "ApiError";
  }

  get status(): number {
    return this.problem.status;
  }

  /** A later try with the same request may succeed. */
  get temporary(): boolean {
    return this.status >= 500 || this.status === 429 || this.status === 408;
  }
}

/** No answer came: the network is down, the server is, or the time-out passed. What was asked may have happened. */
export class NetworkError extends Error {
  constructor(cause: unknown) {
    super("No answer from the server", { cause });
    this.name = "NetworkError";
  }
}

export function isTemporary(error: unknown): boolean {
  return error instanceof NetworkError || (error instanceof ApiError && error.temporary);
}
