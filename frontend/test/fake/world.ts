import { inView } from "../../src/lib/store/views";
import { VIEWS, type Agent, type Channel, type Contact, type Conversation, type Counts, type Decision, type Letter, type Message, type View } from "../../src/lib/api/types";
import { agent, channel, conversation, message } from "./factories";

const NAMES = ["Amina Wanjiru", "李伟", "María González", "Dmitri Volkov", "Sofia Rossi", "محمد العلي", "Kofi Mensah", "Yuki Tanaka", "Emma Larsen", "Liam O’Brien", "Chioma Okafor", "Priya Raman"];
const LINES = ["My order has not arrived yet, can you look?", "请帮我查一下订单", "¿Podrían enviarme la factura?", "Спасибо! Когда приедет курьер?", "Is the Guatemala roast back?", "هل يمكنني تغيير العنوان؟", "The grinder makes a strange noise", "Thank you so much!", "Can I pick it up on Saturday?", "It says payment failed", "Where is my refund?", "Do you ship to Kerala?"];
const ZONES = ["Africa/Nairobi", "Asia/Shanghai", "America/Lima", "Asia/Almaty", "Europe/Rome", "Asia/Dubai"];

/** A workspace in memory. */
export class World {
  readonly agents: Agent[];
  readonly channels: Channel[];
  readonly labels = [
    { id: "l1", name: "delivery", color: "#c2570c" },
    { id: "l2", name: "vip", color: "#7a5af8" },
  ];
  readonly conversations: Conversation[] = [];
  readonly messages = new Map<string, Message[]>();
  readonly letters: Letter[];
  readonly decisions: Decision[];
  readonly kinds = [
    { kind: "webchat", title: "Web chat", settings: [{ name: "greeting", label: "Greeting", help: "The first line that visitors see.", required: false }] },
    { kind: "telegram", title: "Telegram", settings: [{ name: "token", label: "Bot token", help: "From @BotFather.", secret: true, required: true }] },
  ];

  constructor(private readonly now: Date) {
    this.agents = [
      agent({ id: "a1", name: "Olga Petrova", time_zone: "Asia/Almaty", role: "owner" }),
      agent({ id: "a2", name: "Diego Flores", time_zone: "America/Lima", on_shift: false }),
      agent({ id: "a3", name: "Amina Otieno", time_zone: "Africa/Nairobi", availability: "away" }),
    ];
    this.channels = [
      channel({ id: "c1", kind: "webchat", name: "Shop chat", snippet: "<script src=…></script>" }),
      channel({ id: "c2", kind: "telegram", name: "@harbour_bot", can_reply_to: true }),
      channel({ id: "c3", kind: "bot", name: "Warehouse", last_error: "The endpoint answered 503 for an hour." }),
    ];
    this.letters = [{ id: "d1", at: this.ago(40), channel_id: "c3", channel_name: "Warehouse", reason: "Not JSON", excerpt: "{oops", state: "open", attempts: 1 }];
    this.decisions = [{ at: this.ago(50), outcome: "assign", agent_id: "a1", words: "Olga is on shift and has the fewest open conversations.", rule_version: 1, candidates: [{ agent_id: "a1", name: "Olga Petrova", score: 3 }, { agent_id: "a2", name: "Diego Flores", removed_by: "shift", detail: "is off shift until 09:00" }] }];
    NAMES.forEach((name, index) => this.add(name, index));
  }

  inView(row: Conversation, view: string): boolean {
    return inView(row, view as View, "a1");
  }

  counts(): Counts {
    const entries = VIEWS.map((view) => [view, this.conversations.filter((row) => this.inView(row, view)).length] as const);
    return Object.fromEntries(entries) as Counts;
  }

  contact(id: string): Contact {
    const brief = this.conversations.find((row) => row.contact.id === id)!.contact;
    return { ...brief, created_at: this.ago(90_000), version: 1, identities: [{ kind: "telegram", id: "77812", name: "@someone" }] };
  }

  update(id: string, part: Partial<Conversation>): Conversation {
    const index = this.conversations.findIndex((row) => row.id === id);
    const old = this.conversations[index]!;
    this.conversations[index] = { ...old, ...part, version: old.version + 1 };
    return this.conversations[index];
  }

  reply(id: string, text: string, isNote: boolean, key: string): Message {
    const thread = this.messages.get(id) ?? [];
    const at = new Date().toISOString();
    const row = message({ id: crypto.randomUUID(), conversation_id: id, kind: isNote ? "note" : "outbound", state: isNote ? "noted" : "queued", author: { kind: "agent", id: "a1", name: "Olga Petrova" }, text, at, sort: at, client_key: key });
    this.messages.set(id, [...thread, row]);
    return row;
  }

  private ago(minutes: number): string {
    return new Date(this.now.getTime() - minutes * 60_000).toISOString();
  }

  private add(name: string, index: number): void {
    const kind = this.channels[index % 3]!;
    const waiting = index % 3 !== 2;
    const thread = this.thread(`v${index}`, name, index);
    const last = thread.at(-1)!;
    const row = conversation({
      id: `v${index}`,
      contact: { id: `p${index}`, name, time_zone: ZONES[index % ZONES.length]!, language: "en" },
      channel_id: kind.id,
      channel_kind: kind.kind,
      assignee_id: index % 4 === 3 ? null : index % 5 === 4 ? "a2" : "a1",
      last_activity_at: last.at,
      label_ids: index % 3 === 0 ? ["l1"] : index % 4 === 0 ? ["l2"] : [],
      priority: index === 0 ? "urgent" : "none",
      status: index === 10 ? "snoozed" : index === 11 ? "resolved" : "open",
      snoozed_until: index === 10 ? this.ago(-600) : null,
      unanswered: waiting ? 1 + (index % 3) : 0,
      waiting_since: waiting ? last.at : null,
      preview: { kind: last.kind, text: last.text, author: last.author, state: last.state },
    });
    this.conversations.push(row);
    this.messages.set(row.id, thread);
  }

  private thread(id: string, name: string, index: number): Message[] {
    const customer = { kind: "contact", id: `p${id.slice(1)}`, name } as const;
    const olga = { kind: "agent", id: "a1", name: "Olga Petrova" } as const;
    const parts: Partial<Message>[] = [
      { kind: "inbound", author: customer, text: "Hello! I ordered **nothing** special, see https://example.org/order/88231.", at: this.ago(60 * 26) },
      { kind: "activity", author: { kind: "system" }, activity: { what: "routed", agent: "Olga Petrova", why: "on shift, fewest open conversations" }, at: this.ago(60 * 26 - 1) },
      { kind: "outbound", author: olga, text: "Hi! Let me check that for you.", marks: [{ kind: "bold", offset: 7, length: 5 }], state: "read", at: this.ago(60 * 25) },
      { kind: "note", author: olga, text: "Courier says 11:00.", state: "noted", at: this.ago(70) },
      { kind: "outbound", author: olga, text: "The courier will be there at 11:00.", state: index === 0 ? "failed" : index === 1 ? "unknown" : "delivered", error: index === 0 ? { code: "403", words: "Forbidden: bot was blocked by the user" } : null, at: this.ago(65) },
      { kind: "inbound", author: customer, text: LINES[index % LINES.length]!, at: this.ago(index * 17 + 3), location: index === 0 ? { latitude: -1.2921, longitude: 36.8219, title: "Home" } : null },
    ];
    return parts
      .toSorted((a, b) => (a.at! < b.at! ? -1 : 1))
      .map((part, place) => message({ ...part, id: `${id}m${place}`, conversation_id: id, sort: part.at! }));
  }
}

export const sampleWorld = (now: Date) => new World(now);
