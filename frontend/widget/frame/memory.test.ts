import { beforeEach, describe, expect, it } from "vitest";

import { Memory } from "./memory";

const unsent = { outgoing: { client_message_id: "own-1", text: "hi", attachments: [] }, attachments: [], at: "2026-11-21T10:00:00Z" };

beforeEach(() => localStorage.clear());

describe("what is kept in the browser", () => {
  it("is there again for the same visitor", () => {
    const before = new Memory("c", () => localStorage);
    before.belongTo("token-of-ada-0000", false);
    before.keepUnsent([unsent]);
    before.keepDraft("half a sen");
    const after = new Memory("c", () => localStorage);
    after.belongTo("token-of-ada-0000", false);
    expect(after.unsent()).toEqual([unsent]);
    expect(after.draft()).toBe("half a sen");
  });

  it("is forgotten when another person uses the browser", () => {
    const memory = new Memory("c", () => localStorage);
    memory.belongTo("token-of-ada-0000", false);
    memory.keepUnsent([unsent]);
    memory.keepDraft("secret");
    memory.belongTo(null, false);
    expect(memory.unsent()).toEqual([]);
    expect(memory.draft()).toBe("");
  });

  it("goes along when a person who was nobody yet gets a token", () => {
    const memory = new Memory("c", () => localStorage);
    memory.belongTo(null, false);
    memory.keepUnsent([unsent]);
    memory.belongTo("token-of-ada-0000", true);
    expect(memory.unsent()).toEqual([unsent]);
  });

  it("is simply not kept where storage is forbidden", () => {
    const memory = new Memory("c", () => {
      throw new DOMException("denied", "SecurityError");
    });
    memory.keepDraft("text");
    expect(memory.draft()).toBe("");
  });
});
