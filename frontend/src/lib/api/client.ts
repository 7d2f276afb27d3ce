import { ApiError, NetworkError, type Problem } from "./errors";
import type { Attachment } from "./types";

const TIMEOUT_MS = 20_000;

type Method = "GET" | "POST" | "PATCH" | "DELETE";
type Query = Record<string, string | number | null | undefined>;

interface Options {
  query?: Query;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

let csrfToken = "";
let signedOut: () => void = () => {};

/** Sets the token that every unsafe request carries. It comes with each session answer. */
export function useCsrfToken(token: string): void {
  csrfToken = token;
}

/** Called once per answer 401, outside the sign-in calls themselves. */
export function onSignedOut(handler: () => void): void {
  signedOut = handler;
}

export function apiUrl(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") params.set(name, String(value));
  }
  const tail = params.toString();
  return `/api/v1${path}${tail ? `?${tail}` : ""}`;
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Partial<Problem>;
    return { ...body, status: response.status };
  } catch {
    return { status: response.status, title: response.statusText };
  }
}

/** Decodes an answer, or throws ApiError for anything but 2xx. */
export async function decode<T>(response: Response): Promise<T> {
  if (!response.ok) {
    const problem = await problemOf(response);
    if (response.status === 401 && !response.url.includes("/auth/login")) signedOut();
    throw new ApiError(problem);
  }
  if (response.status === 204) return undefined as T;
  try {
    return (await response.json()) as T;
  } catch (error) {
    throw new NetworkError(error);
  }
}

/** One request. Throws ApiError (answered no), NetworkError (no answer in 20 s), or AbortError (our own signal). */
export async function call<T>(method: Method, path: string, options: Options = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json", ...options.headers };
  if (method !== "GET") headers["X-CSRF-Token"] = csrfToken;
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(apiUrl(path, options.query), {
      method,
      headers,
      credentials: "same-origin",
      signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new NetworkError(error);
  }
  return decode<T>(response);
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal) =>
  call<T>("GET", path, { ...(query ? { query } : {}), ...(signal ? { signal } : {}) });
export const post = <T>(path: string, body?: unknown, headers?: Record<string, string>) =>
  call<T>("POST", path, { body: body ?? {}, ...(headers ? { headers } : {}) });
export const patch = <T>(path: string, body: unknown, headers?: Record<string, string>) =>
  call<T>("PATCH", path, { body, ...(headers ? { headers } : {}) });

/**
 * Uploads one file. `onProgress` gets 0…1 while it goes up. XMLHttpRequest, because fetch does not report the
 * progress of an upload. Throws like `call`.
 */
export function upload(file: File, onProgress: (share: number) => void, signal: AbortSignal): Promise<Attachment> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.append("file", file, file.name);
    request.open("POST", apiUrl("/attachments"));
    request.setRequestHeader("X-CSRF-Token", csrfToken);
    request.upload.onprogress = (event) => onProgress(event.total ? event.loaded / event.total : 0);
    request.onerror = () => reject(new NetworkError(new Error("upload broke off")));
    request.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    request.onload = () => {
      const response = new Response(request.responseText || "{}", { status: request.status || 502 });
      decode<Attachment>(response).then(resolve, reject);
    };
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form);
  });
}
