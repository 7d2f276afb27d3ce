import { describe, expect, it } from "vitest";

import type { LiveEvent } from "$lib/api/types";
import { conversation } from "../../../test/fake/factories";
import { Feed, type LinkState } from "./feed";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const OLD = "2026-11-21T09:00:00Z";

function event(seq: number, at = OLD, epoch = "e"): LiveEvent {
  return { type: "conversation.updated", cursor: `${epoch}:${seq}`, id: `${seq}`, at, data: { conversation: conversation({ version: seq }) } };
}

function reader(cursor: string | null = "e:1") {
  const seen: string[] = [];
  const states: LinkState[] = [];
  const pings: number[] = [];
  const resets: { done: (cursor: string) => void; fail: () => void }[] = [];
  const work: (() => void)[] = [];
  let failures = 0;
  let now = NOW;
  const feed = new Feed(cursor, {
    onEvents: (events) => seen.push(...events.map((item) => item.cursor)),
    onReset: () => new Promise((done, reject) => resets.push({ done, fail: () => reject(new Error("no answer")) })),
    onResetFailed: () => failures++,
    onState: (state) => states.push(state),
    ping: (delay) => pings.push(delay),
    schedule: (item) => work.push(item),
    now: () => now,
  });
  return {
    feed,
    seen,
    states,
    pings,
    resets,
    failures: () => failures,
    frame: () => work.splice(0).forEach((item) => item()),
    pass: (ms: number) => (now += ms),
    settled: () => new Promise((done) => setTimeout(done)),
  };
}

describe("events", () => {
  it("are applied once per frame, in order, each once", () => {
    const { feed, seen, frame } = reader();
    feed.opened();
    feed.receive([{ type: "welcome", cursor: "e:1", resumed: true }, event(2), event(3)]);
    feed.receive([event(3), event(2), event(4)]);
    expect(seen).toEqual([]);
    frame();
    expect(seen).toEqual(["e:2", "e:3", "e:4"]);
    expect(feed.cursor).toBe("e:4");
  });

  it("of a type that this page does not know move the cursor on", () => {
    const { feed, seen, frame } = reader();
    feed.receive([{ ...event(2), type: "moon.landed" } as unknown as LiveEvent]);
    frame();
    expect(seen).toEqual([]);
    expect(feed.cursor).toBe("e:2");
  });
});

describe("the words about the link", () => {
  it("are never live before the server has answered", () => {
    const { feed, states } = reader();
    feed.opened();
    feed.receive([{ type: "pong" }]);
    expect(states).toEqual(["catching-up"]);
  });

  it("are live after a quiet answer to a ping", () => {
    const { feed, states, pings } = reader();
    feed.opened();
    feed.receive([{ type: "welcome", cursor: "e:1", resumed: true }]);
    expect(states).toEqual(["catching-up"]);
    expect(pings).toEqual([0]);
    feed.receive([{ type: "pong" }]);
    expect(states).toEqual(["catching-up", "live"]);
  });

  it("stay on catching up while missed events stream in", () => {
    const { feed, states, frame, pass } = reader();
    feed.opened();
    feed.receive([{ type: "welcome", cursor: "e:1", resumed: true }, event(2)]);
    frame();
    feed.receive([{ type: "pong" }]);
    expect(feed.state).toBe("catching-up");
    pass(300);
    feed.receive([{ type: "pong" }]);
    expect(states.at(-1)).toBe("live");
  });

  it("are offline from the moment the link is lost", () => {
    const { feed } = reader();
    feed.receive([{ type: "welcome", cursor: "e:1", resumed: true }, { type: "head", cursor: "e:1" }]);
    expect(feed.state).toBe("live");
    feed.lost();
    expect(feed.state).toBe("offline");
  });
});

describe("the heartbeat", () => {
  it("moves the cursor past what was not meant for this reader", () => {
    const { feed } = reader();
    feed.receive([{ type: "welcome", cursor: "e:1", resumed: true }, { type: "head", cursor: "e:9" }]);
    expect(feed.cursor).toBe("e:9");
  });
});

describe("a reset", () => {
  it("reads everything again and drops what that reading holds", async () => {
    const { feed, seen, frame, resets, settled } = reader();
    feed.receive([{ type: "reset", reason: "epoch", cursor: "f:5" }]);
    feed.receive([event(6, OLD, "f"), event(7, OLD, "f")]);
    frame();
    expect(seen).toEqual([]);
    resets[0]!.done("f:6");
    await settled();
    frame();
    expect(seen).toEqual(["f:7"]);
    expect(feed.cursor).toBe("f:7");
  });

  it("during a reset reads once more, because the first reading may be too old", async () => {
    const { feed, resets, settled } = reader();
    feed.receive([{ type: "reset", reason: "epoch", cursor: "f:5" }]);
    feed.receive([{ type: "reset", reason: "future", cursor: "f:9" }]);
    resets[0]!.done("f:6");
    await settled();
    expect(resets.length).toBe(2);
  });

  it("that fails is tried again later", async () => {
    const { feed, resets, settled, failures } = reader();
    feed.receive([{ type: "reset", reason: "epoch", cursor: "f:5" }]);
    resets[0]!.fail();
    await settled();
    expect(failures()).toBe(1);
    feed.receive([{ type: "reset", reason: "epoch", cursor: "f:5" }]);
    expect(resets.length).toBe(2);
  });

  it("is what a welcome without a resume means", () => {
    const { feed, resets } = reader();
    feed.receive([{ type: "welcome", cursor: "e:4", resumed: false }]);
    expect(resets.length).toBe(1);
  });
});
