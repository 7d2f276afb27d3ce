import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

import { WebSocketServer, type WebSocket } from "ws";

import type { Conversation, LiveEvent, Message } from "../../src/lib/api/types";
import { sampleWorld, type World } from "./world";

type Body = Record<string, unknown>;

/** Enough of the product's HTTP and live interface to look at every screen. Keeps everything in memory. */
export class FakeServer {
  private readonly world: World = sampleWorld(new Date());
  private readonly sockets = new Set<WebSocket>();
  private seq = 1;
  private signedIn = true;

  private readonly gateway = new WebSocketServer({ noServer: true });

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (request.url === "/realtime") this.gateway.handleUpgrade(request, socket, head, (client) => this.greet(client));
  }

  async handle(request: IncomingMessage, response: ServerResponse, next: () => void): Promise<void> {
    const url = new URL(request.url ?? "/", "http://fake");
    if (!url.pathname.startsWith("/api/v1/")) return next();
    const [status, answer] = await this.answer(request, url);
    response.writeHead(status, { "content-type": status < 400 ? "application/json" : "application/problem+json" });
    response.end(status === 204 ? undefined : JSON.stringify(answer));
  }

  private greet(client: WebSocket): void {
    this.sockets.add(client);
    client.on("close", () => this.sockets.delete(client));
    client.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as { type: string; cursor?: string | null };
      if (frame.type === "resume") client.send(JSON.stringify([{ type: "welcome", cursor: this.cursor, resumed: frame.cursor === this.cursor }]));
      if (frame.type === "ping") client.send(JSON.stringify([{ type: "pong" }]));
    });
  }

  private get cursor(): string {
    return `fake:${this.seq}`;
  }

  private publish(type: LiveEvent["type"], data: unknown): void {
    this.seq += 1;
    const event = { type, cursor: this.cursor, id: crypto.randomUUID(), at: new Date().toISOString(), data };
    for (const client of this.sockets) client.send(JSON.stringify([event]));
  }

  private async answer(request: IncomingMessage, url: URL): Promise<[number, unknown]> {
    const path = url.pathname.slice("/api/v1".length);
    const method = request.method ?? "GET";
    if (path === "/setup") return [200, { needed: false, demo: { password: "demo", people: this.world.agents } }];
    if (path === "/auth/login") this.signedIn = true;
    if (!this.signedIn) return [401, { status: 401, title: "Please sign in" }];
    if (path === "/auth/logout") this.signedIn = false;
    const body = method === "GET" ? {} : await readJson(request);
    const found = method === "GET" ? this.read(path, url.searchParams) : this.write(method, path, body);
    return found ?? [404, { status: 404, detail: "The fake server does not know this." }];
  }

  private session() {
    return { user: this.world.agents[0], csrf_token: "fake", workspace: { id: "w", name: "Harbour Coffee" } };
  }

  private read(path: string, query: URLSearchParams): [number, unknown] | null {
    const { world } = this;
    const [, noun, id, part] = path.split("/");
    const items = world.conversations.filter((row) => world.inView(row, query.get("view") ?? "all"));
    if (path === "/boot") {
      const page = { items, next_cursor: null };
      const reference = { agents: world.agents, channels: world.channels, labels: world.labels };
      return [200, { ...this.session(), ...reference, conversations: page, counts: world.counts(), open_letters: world.letters.length, cursor: this.cursor, server_time: new Date().toISOString(), demo: { phone_url: "/phone", shop_url: "/shop" } }];
    }
    if (path === "/counts") return [200, world.counts()];
    if (path === "/me") return [200, this.session()];
    if (noun === "conversations" && !id) return [200, { items, next_cursor: null, counts: world.counts() }];
    if (noun === "conversations" && part === "messages") return [200, { items: world.messages.get(id!) ?? [], has_more: false }];
    if (noun === "conversations" && part === "decisions") return [200, { items: world.decisions }];
    if (noun === "conversations") return [200, world.conversations.find((row) => row.id === id)];
    if (noun === "contacts" && part) return [200, { items: world.conversations.filter((row) => row.contact.id === id) }];
    if (noun === "contacts") return [200, world.contact(id!)];
    if (path === "/channel-kinds") return [200, world.kinds];
    if (path === "/letters") return [200, { items: world.letters, next_cursor: null }];
    if (path === "/raw-events" || path === "/deliveries") return [200, { items: [], next_cursor: null }];
    return null;
  }

  private write(method: string, path: string, body: Body): [number, unknown] | null {
    const [, noun, id, part] = path.split("/");
    if (noun === "auth") return path === "/auth/logout" ? [204, null] : [200, this.session()];
    if (noun === "conversations" && part === "messages") return [201, this.reply(id!, body)];
    if (noun === "conversations" && method === "PATCH") return [200, this.change(id!, body)];
    if (noun === "labels") return [201, { id: crypto.randomUUID(), ...body }];
    if (noun === "me") return [200, Object.assign(this.world.agents[0]!, body)];
    return null;
  }

  private change(id: string, body: Body): Conversation {
    const row = this.world.update(id, body as Partial<Conversation>);
    this.publish("conversation.updated", { conversation: row });
    return row;
  }

  private reply(id: string, body: Body): Message {
    const message = this.world.reply(id, String(body["body"]), Boolean(body["private"]), String(body["client_key"]));
    const conversation = this.world.update(id, { unanswered: 0, waiting_since: null });
    this.publish(message.kind === "note" ? "note.added" : "message.queued", { conversation, message });
    if (message.kind !== "note") this.progress(message, ["sending", "sent", "delivered", "read"]);
    return message;
  }

  private progress(message: Message, states: Message["state"][]): void {
    const [state, ...rest] = states;
    if (!state) return;
    setTimeout(() => {
      const next = { ...message, state, version: message.version + 1 };
      const conversation = this.world.update(message.conversation_id, {});
      this.publish(state === "read" ? "message.read" : "message.sent", { conversation, message: next });
      this.progress(next, rest);
    }, 700);
  }
}

async function readJson(request: IncomingMessage): Promise<Body> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text.startsWith("{") ? (JSON.parse(text) as Body) : {};
}
