import { describe, expect, it } from "vitest";

import type { EventName, LiveEvent } from "$lib/api/types";
import { conversation, message } from "../../../test/fake/factories";
import { apply } from "./reducer";
import { commit, emptyRows, type Rows } from "./rows";

let seq = 0;
function event<Name extends EventName>(type: Name, data: Extract<LiveEvent, { type: Name }>["data"]): LiveEvent {
  seq += 1;
  return { type, cursor: `e:${seq}`, id: `e${seq}`, at: "2026-11-21T09:00:00Z", data } as LiveEvent;
}

function play(rows: Rows, ...events: LiveEvent[]) {
  const all = events.flatMap((item) => {
    const changes = apply(rows, item);
    commit(rows, changes);
    return changes;
  });
  return all;
}

function openThread(rows: Rows, from = "") {
  rows.threads.set("v1", { items: [], from });
}

const texts = (rows: Rows) => rows.threads.get("v1")?.items.map((item) => item.text);

describe("an event that is applied", () => {
  it("writes nothing by itself", () => {
    const rows = emptyRows("me");
    const before = structuredClone(rows);
    apply(rows, event("conversation.created", { conversation: conversation() }));
    expect(rows).toEqual(before);
  });

  it("twice changes nothing the second time", () => {
    const rows = emptyRows("me");
    openThread(rows);
    const received = event("message.received", { conversation: conversation({ version: 2 }), message: message() });
    expect(play(rows, received).length).toBeGreaterThan(0);
    expect(play(rows, received)).toEqual([]);
    expect(texts(rows)).toEqual(["Hello"]);
  });

  it("with an old version changes nothing", () => {
    const rows = emptyRows("me");
    openThread(rows);
    const data = { conversation: conversation({ version: 5, status: "resolved" }), message: message({ version: 3, text: "new" }) };
    play(rows, event("message.edited", data));
    play(rows, event("message.edited", { conversation: conversation({ version: 4 }), message: message({ version: 2, text: "old" }) }));
    expect(rows.conversations.get("v1")?.status).toBe("resolved");
    expect(texts(rows)).toEqual(["new"]);
  });

  it("takes a newer message even when its conversation row is older", () => {
    const rows = emptyRows("me");
    openThread(rows);
    play(rows, event("message.queued", { conversation: conversation({ version: 9 }), message: message({ version: 1, state: "queued" }) }));
    play(rows, event("message.sent", { conversation: conversation({ version: 8 }), message: message({ version: 2, state: "sent" }) }));
    expect(rows.threads.get("v1")?.items[0]?.state).toBe("sent");
    expect(rows.conversations.get("v1")?.version).toBe(9);
  });
});

describe("a thread", () => {
  it("orders messages by sort, not by arrival", () => {
    const rows = emptyRows("me");
    openThread(rows);
    for (const [id, sort] of [["b", "2"], ["c", "3"], ["a", "1"]] as const) {
      play(rows, event("message.received", { conversation: conversation(), message: message({ id, sort, text: id }) }));
    }
    expect(texts(rows)).toEqual(["a", "b", "c"]);
  });

  it("that is not open keeps no messages", () => {
    const rows = emptyRows("me");
    play(rows, event("message.received", { conversation: conversation(), message: message() }));
    expect(rows.threads.size).toBe(0);
  });

  it("gets no message from before its loaded end, which would leave a hole", () => {
    const rows = emptyRows("me");
    openThread(rows, "5");
    play(rows, event("message.edited", { conversation: conversation(), message: message({ sort: "4" }) }));
    expect(texts(rows)).toEqual([]);
  });

  it("shows the line of what happened to its conversation", () => {
    const rows = emptyRows("me");
    openThread(rows);
    const activity = message({ id: "x", kind: "activity", activity: { what: "assigned", agent: "Diego" } });
    play(rows, event("conversation.assigned", { conversation: conversation(), activity }));
    expect(rows.threads.get("v1")?.items).toEqual([activity]);
  });
});

describe("counts", () => {
  const mine = conversation({ assignee_id: "me" });

  it("follow a new conversation", () => {
    const rows = emptyRows("me");
    play(rows, event("conversation.created", { conversation: conversation() }));
    expect(rows.counts).toMatchObject({ all: 1, unassigned: 1, mine: 0 });
  });

  it("move from unassigned to mine when I am assigned", () => {
    const rows = emptyRows("me");
    play(rows, event("conversation.created", { conversation: conversation() }));
    play(rows, event("conversation.assigned", { conversation: { ...mine, version: 2 } }));
    expect(rows.counts).toMatchObject({ all: 1, unassigned: 0, mine: 1 });
  });

  it("go to resolved and back", () => {
    const rows = emptyRows("me");
    play(rows, event("conversation.created", { conversation: mine }));
    play(rows, event("conversation.resolved", { conversation: { ...mine, version: 2, status: "resolved" } }));
    expect(rows.counts).toEqual({ mine: 0, unassigned: 0, all: 0, snoozed: 0, resolved: 1 });
    play(rows, event("conversation.reopened", { conversation: { ...mine, version: 3 } }));
    expect(rows.counts).toEqual({ mine: 1, unassigned: 0, all: 1, snoozed: 0, resolved: 0 });
  });

  it("are unknown when the old row is", () => {
    const rows = emptyRows("me");
    const changes = apply(rows, event("conversation.assigned", { conversation: conversation({ version: 7 }) }));
    expect(changes).toContainEqual({ kind: "counts-unknown" });
  });

  it("count a repeated creation once", () => {
    const rows = emptyRows("me");
    const created = event("conversation.created", { conversation: conversation() });
    play(rows, created, created);
    expect(rows.counts.all).toBe(1);
  });
});

describe("other rows", () => {
  it("a renamed contact is renamed in every conversation", () => {
    const rows = emptyRows("me");
    play(rows, event("conversation.created", { conversation: conversation() }));
    const contact = { id: "p1", name: "Amina W.", created_at: "2026-01-01T00:00:00Z", version: 2 };
    play(rows, event("contact.updated", { contact }));
    expect(rows.conversations.get("v1")?.contact.name).toBe("Amina W.");
  });

  it("failures are counted by the server", () => {
    const rows = emptyRows("me");
    play(rows, event("intake.failed", { letter_id: "d", channel_id: null, reason: "not JSON", open_letters: 3 }));
    expect(rows.openLetters).toBe(3);
    play(rows, event("intake.replayed", { letter_id: "d", outcome: "processed", open_letters: 2 }));
    expect(rows.openLetters).toBe(2);
  });
});
