import { afterEach, beforeAll, expect, it, vi } from "vitest";

import type { Message } from "$lib/api/types";
import { loadTexts } from "$lib/i18n/locales";
import { message } from "../../../test/fake/factories";
import { Outgoing, type Draft } from "./outgoing.svelte";

interface Request {
  key: string;
  body: string;
  answer: (status: number, body: unknown) => void;
  breakOff: () => void;
}

beforeAll(() => loadTexts("core"));
afterEach(() => vi.unstubAllGlobals());

/** The network, with every answer in the hands of the test. */
function network(): Request[] {
  const requests: Request[] = [];
  vi.stubGlobal("fetch", (_url: string, init: RequestInit) => {
    const sent = JSON.parse(String(init.body)) as { client_key: string; body: string };
    const headers = init.headers as Record<string, string>;
    return new Promise<Response>((done, fail) => {
      requests.push({
        key: headers["Idempotency-Key"] ?? "",
        body: sent.body,
        answer: (status, body) => done(new Response(JSON.stringify(body), { status })),
        breakOff: () => fail(new TypeError("network")),
      });
    });
  });
  return requests;
}

const draft = (text: string): Draft => ({ conversationId: "v1", text, isNote: false, attachments: [], replyTo: null });

function outgoing() {
  const accepted: Message[] = [];
  const store: Outgoing = new Outgoing({
    accepted: (row) => {
      accepted.push(row);
      store.settled(row);
    },
  });
  return { store, accepted };
}

it("a reply is shown at once and gone when the server has it", async () => {
  const requests = network();
  const { store, accepted } = outgoing();
  store.send(draft("hi"));
  expect(store.of("v1").map((item) => item.phase)).toEqual(["posting"]);
  await vi.waitFor(() => expect(requests.length).toBe(1));
  requests[0]!.answer(201, message({ client_key: requests[0]!.key }));
  await vi.waitFor(() => expect(store.of("v1")).toEqual([]));
  expect(accepted.length).toBe(1);
  expect(store.unsent).toBe(false);
});

it("replies of one conversation go one after the other", async () => {
  const requests = network();
  const { store } = outgoing();
  store.send(draft("one"));
  store.send(draft("two"));
  await vi.waitFor(() => expect(requests.length).toBe(1));
  requests[0]!.answer(201, message({ client_key: requests[0]!.key }));
  await vi.waitFor(() => expect(requests.map((item) => item.body)).toEqual(["one", "two"]));
});

it("a reply without an answer stays, and is tried again under the same key", async () => {
  const requests = network();
  const { store } = outgoing();
  store.send(draft("hi"));
  await vi.waitFor(() => expect(requests.length).toBe(1));
  requests[0]!.breakOff();
  await vi.waitFor(() => expect(store.of("v1")[0]).toMatchObject({ phase: "failed", words: "no answer from the server" }));
  store.retry(store.of("v1")[0]!);
  await vi.waitFor(() => expect(requests.length).toBe(2));
  expect(requests[1]!.key).toBe(requests[0]!.key);
});

it("a refusal shows the server's words", async () => {
  const requests = network();
  const { store } = outgoing();
  store.send(draft("hi"));
  await vi.waitFor(() => expect(requests.length).toBe(1));
  requests[0]!.answer(422, { detail: "Write something or attach a file." });
  await vi.waitFor(() => expect(store.of("v1")[0]?.words).toBe("Write something or attach a file."));
  store.discard(store.of("v1")[0]!);
  expect(store.of("v1")).toEqual([]);
});

it("the event may be faster than the answer: the reply is not shown twice", async () => {
  const requests = network();
  const { store } = outgoing();
  store.send(draft("hi"));
  await vi.waitFor(() => expect(requests.length).toBe(1));
  store.settled(message({ client_key: requests[0]!.key }));
  expect(store.of("v1")).toEqual([]);
});
