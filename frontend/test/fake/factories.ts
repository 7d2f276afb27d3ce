import type { Agent, Channel, Conversation, Message } from "../../src/lib/api/types";

const AT = "2026-11-21T09:00:00Z";

export function conversation(part: Partial<Conversation> = {}): Conversation {
  return {
    id: "v1",
    contact: { id: "p1", name: "Amina Wanjiru" },
    channel_id: "c1",
    channel_kind: "telegram",
    status: "open",
    priority: "none",
    last_activity_at: AT,
    created_at: AT,
    version: 1,
    ...part,
  };
}

export function message(part: Partial<Message> = {}): Message {
  return {
    id: "m1",
    conversation_id: "v1",
    channel_id: "c1",
    kind: "inbound",
    author: { kind: "contact", id: "p1", name: "Amina Wanjiru" },
    text: "Hello",
    state: "received",
    at: AT,
    sort: "1",
    version: 1,
    ...part,
  };
}

export function agent(part: Partial<Agent> = {}): Agent {
  return { id: "a1", name: "Olga", email: "olga@example.org", role: "agent", availability: "available", time_zone: "UTC", ...part };
}

export function channel(part: Partial<Channel> = {}): Channel {
  return { id: "c1", kind: "telegram", name: "Shop", enabled: true, settings: {}, hook_url: "https://inbox.example.org/hooks/c1", text_limit: 4096, file_limit: 20_000_000, ...part };
}
