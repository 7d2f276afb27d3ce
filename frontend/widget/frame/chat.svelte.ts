/** The one state of the frame: what the visitor sees, and everything that changes it. */

import type { Page } from "../messages";
import { Api, Refused } from "./api";
import { backOff } from "./backoff";
import type { Attachment, Config, MessagePage, ServerFrame, Upload } from "./contract";
import { t } from "./i18n";
import { loadTalk } from "./kit.svelte";
import type { Memory } from "./memory";
import type { Live } from "./talk/live";
import {
  firstSort,
  lastSort,
  merge,
  newestFromAgent,
  optimistic,
  unreadCount,
  unsent,
  waiting,
  withLocal,
  type Entry,
} from "./thread";

const TYPING_SHOWN_MS = 6_000;
const WAITING_LIMIT = 50;
const PAGES_AT_ONCE = 40;
const CONFIG_MS = 300_000;

export type Link = "up" | "down" | "quiet"; // quiet: nothing to connect for yet

interface Outside {
  api: Api;
  memory: Memory;
  tokenChanged(token: string | null): void;
  now(): Date;
}

export class Chat {
  config = $state.raw<Config | null>(null);
  configFailed = $state.raw(false);
  entries = $state.raw<Entry[]>([]);
  resolved = $state.raw(false);
  typing = $state.raw<string | null>(null);
  link = $state.raw<Link>("quiet");
  online = $state.raw(navigator.onLine);
  open = $state.raw(false);
  /** Whether the keyboard goes into the panel now that it is open. */
  takesFocus = $state.raw(false);
  history = $state.raw<"unknown" | "loading" | "loaded" | "failed">("unknown");
  hasEarlier = $state.raw(false);
  forgotten = $state.raw(false);
  token = $state.raw<string | null>(null);
  /** The newest batch of agents' messages, for the screen reader. */
  news = $state.raw<Entry[]>([]);

  page: Page = { url: "", title: "" };
  locale = "en";

  private seenSort = $state.raw("");
  unread = $derived(unreadCount(this.entries, this.seenSort));
  waitingCount = $derived(waiting(this.entries).length);

  private live: Live | null = null;
  private session: Promise<string> | null = null;
  private pumping = false;
  private sendAttempts = 0;
  private told = { received: "", seen: "" };
  private typingTimer: ReturnType<typeof setTimeout> | undefined;
  private pumpTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly outside: Outside) {
    addEventListener("online", () => this.back());
    addEventListener("offline", () => (this.online = false));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.back();
    });
    setInterval(() => {
      if (this.open) void this.loadConfig();
    }, CONFIG_MS);
  }

  // ------------------------------------------------------------ starting

  async start(token: string | null): Promise<void> {
    this.outside.memory.belongTo(token, false);
    this.entries = this.outside.memory
      .unsent()
      .map((kept) => optimistic(kept.outgoing, kept.attachments, new Date(kept.at)));
    if (!token) void this.pump();
    await Promise.all([this.loadConfig(), this.adopt(token)]);
  }

  async loadConfig(): Promise<void> {
    try {
      this.config = await this.outside.api.config();
      this.configFailed = false;
    } catch {
      this.configFailed = this.config === null;
    }
  }

  /** Go on as the visitor whom `token` names. What is unsent goes along only if it is the same person. */
  async adopt(token: string | null, same = this.token === null): Promise<void> {
    if (token === this.token) return;
    this.outside.memory.belongTo(token, same);
    this.live?.stop();
    this.live = null;
    this.token = token;
    this.entries = same ? unsent(this.entries) : [];
    this.seenSort = "";
    this.told = { received: "", seen: "" };
    this.history = "unknown";
    this.link = "quiet";
    if (!token) return;
    void this.connect(token, 0);
    await this.sync();
  }

  private async connect(token: string, attempts: number): Promise<void> {
    try {
      const { Live } = await loadTalk(this);
      if (token !== this.token || this.live) return;
      this.live = new Live(this.outside.api.socketUrl(), token, this);
      this.live.start();
    } catch {
      this.down(attempts);
      setTimeout(() => void this.connect(token, attempts + 1), backOff(attempts));
    }
  }

  // ------------------------------------------------------------ what the socket tells

  up(): void {
    this.link = "up";
    void this.sync();
    void this.pump();
  }

  down(attempts: number): void {
    this.link = "down";
    // Where websockets are blocked the chat still works, at the pace of the back-off.
    if (attempts > 1) void this.sync();
  }

  signedOut(): void {
    this.forget();
  }

  private back(): void {
    this.online = navigator.onLine;
    this.live?.hurry();
    void this.sync();
    void this.pump();
  }

  /** The server does not know us any more: what was said is gone from here, what is unsent stays. */
  private forget(): void {
    this.forgotten = this.entries.some((entry) => entry.sort);
    this.outside.tokenChanged(null);
    void this.adopt(null, true);
  }

  /** Who we are to the server; the first need makes us a visitor. */
  ensureToken(): Promise<string> {
    if (this.token) return Promise.resolve(this.token);
    this.session ??= this.outside.api
      .session({ locale: this.locale, time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone })
      .then((session) => {
        if (this.token) return this.token; // another tab was faster: one visitor, not two
        this.outside.tokenChanged(session.token);
        void this.adopt(session.token);
        return session.token;
      })
      .finally(() => (this.session = null));
    return this.session;
  }

  // ------------------------------------------------------------ reading

  /** Bring the thread up to date: the newest page, and whatever lies between it and what we have. */
  async sync(): Promise<void> {
    const token = this.token;
    if (!token) return;
    if (this.history === "unknown" || this.history === "failed") this.history = "loading";
    try {
      const last = lastSort(this.entries);
      const newest = await this.outside.api.messages(token);
      if (token !== this.token) return;
      if (!last) this.hasEarlier = newest.has_more ?? false;
      else if (newest.items[0] && newest.items[0].sort > last) await this.fill(token, last, newest.items[0].sort);
      this.take(newest);
      this.history = "loaded";
    } catch (error) {
      if (error instanceof Refused && error.status === 401) this.forget();
      else if (this.history === "loading") this.history = "failed";
    }
  }

  private async fill(token: string, from: string, to: string): Promise<void> {
    let after = from;
    for (let pages = 0; pages < PAGES_AT_ONCE && after < to; pages++) {
      const page = await this.outside.api.messages(token, { after });
      this.take(page);
      const last = page.items.at(-1);
      if (!last || !page.has_more) return;
      after = last.sort;
    }
  }

  async earlier(): Promise<void> {
    const before = firstSort(this.entries);
    if (!this.token || !before) return;
    const page = await this.outside.api.messages(this.token, { before });
    this.entries = merge(this.entries, page.items);
    this.hasEarlier = page.has_more ?? false;
  }

  private take(page: MessagePage): void {
    this.resolved = page.resolved;
    this.put(page.items);
  }

  private put(messages: MessagePage["items"]): void {
    const known = new Set(this.entries.map((entry) => entry.key));
    const fresh = this.history === "loaded";
    this.entries = merge(this.entries, messages);
    this.keepUnsent();
    if (fresh) {
      const news = this.entries.filter((entry) => entry.from === "agent" && !known.has(entry.key));
      if (news.length) this.news = news;
    }
    this.tellReceipts();
  }

  frame(frame: ServerFrame): void {
    if (frame.type === "message.created" || frame.type === "message.updated") {
      if (frame.data.message.from === "agent") this.typing = null;
      this.put([frame.data.message]);
    } else if (frame.type === "conversation.updated") this.resolved = frame.data.resolved;
    else if (frame.type === "typing") {
      this.typing = frame.data.name;
      clearTimeout(this.typingTimer);
      this.typingTimer = setTimeout(() => (this.typing = null), TYPING_SHOWN_MS);
    }
  }

  /** The panel was opened or closed by the visitor. */
  setOpen(open: boolean, focus = false): void {
    this.open = open;
    this.takesFocus = focus;
    if (open) {
      this.live?.hurry();
      if (this.configFailed) void this.loadConfig();
    }
    this.tellReceipts();
  }

  // "received" is true once it is in the frame, "seen" only while the visitor can see it.
  private tellReceipts(): void {
    const newest = newestFromAgent(this.entries);
    if (!newest) return;
    const visible = this.open && document.visibilityState === "visible";
    if (visible && newest.sort > this.seenSort) this.seenSort = newest.sort;
    const type = visible ? "seen" : "received";
    const done = newest.state === "read" || (type === "received" && newest.state === "delivered");
    if (done || this.told[type] >= newest.sort || this.told.seen >= newest.sort) return;
    const before = this.told[type];
    this.told[type] = newest.sort;
    this.outside.api.receipt(this.token, { type, message_id: newest.id }).catch(() => {
      this.told[type] = before; // told again with the next message, reconnect or return
    });
  }

  // ------------------------------------------------------------ writing

  canSend(): boolean {
    return this.waitingCount < WAITING_LIMIT;
  }

  /** Show the message at once and send it as soon as that is possible. */
  send(text: string, uploads: { upload: Upload; attachment: Attachment }[]): void {
    const outgoing = {
      client_message_id: uuid(),
      text,
      attachments: uploads.map((each) => each.upload),
      ...(this.page.url ? { page: this.page } : {}),
    };
    const attachments = uploads.map((each) => each.attachment);
    this.entries = [...this.entries, optimistic(outgoing, attachments, this.outside.now())];
    this.forgotten = false;
    this.keepUnsent();
    this.live?.hurry();
    void this.pump();
  }

  retry(key: string): void {
    this.entries = withLocal(this.entries, key, "waiting");
    this.keepUnsent();
    void this.pump();
  }

  discard(key: string): void {
    this.entries = this.entries.filter((entry) => entry.key !== key);
    this.keepUnsent();
  }

  uploadUrl(): string {
    return `${this.outside.api.base}/uploads`;
  }

  fileUrl(id: string, download = false): string {
    return this.outside.api.fileUrl(this.token, id, download);
  }

  private keepUnsent(): void {
    this.outside.memory.keepUnsent(
      unsent(this.entries).map((entry) => ({
        outgoing: entry.local!.outgoing,
        attachments: entry.attachments ?? [],
        at: entry.at,
      })),
    );
  }

  // One at a time and in order. Sending twice is harmless: the server knows client_message_id.
  private async pump(): Promise<void> {
    clearTimeout(this.pumpTimer);
    if (this.pumping) return;
    this.pumping = true;
    try {
      for (let next = waiting(this.entries)[0]; next; next = waiting(this.entries)[0]) {
        if (!(await this.deliver(next))) break;
      }
    } finally {
      this.pumping = false;
    }
  }

  private async deliver(entry: Entry): Promise<boolean> {
    const { key, local } = entry;
    this.entries = withLocal(this.entries, key, "sending");
    try {
      const token = await this.ensureToken();
      await this.outside.api.send(token, local!.outgoing);
      this.entries = withLocal(this.entries, key, "accepted");
      this.keepUnsent();
      this.sendAttempts = 0;
      return true;
    } catch (error) {
      return this.notDelivered(key, error);
    }
  }

  private notDelivered(key: string, error: unknown): boolean {
    if (error instanceof Refused && error.status === 401 && this.sendAttempts++ === 0) {
      this.entries = withLocal(this.entries, key, "waiting");
      this.forget();
      return true;
    }
    if (error instanceof Refused && !error.passing && error.status !== 401) {
      const reason = error.words || t("server_words", { status: error.status });
      this.entries = withLocal(this.entries, key, "failed", reason);
      this.keepUnsent();
      return true;
    }
    this.entries = withLocal(this.entries, key, "waiting");
    const asked = error instanceof Refused ? (error.retryAfter ?? 0) * 1000 : 0;
    this.pumpTimer = setTimeout(() => void this.pump(), Math.max(asked, backOff(++this.sendAttempts)));
    return false;
  }
}

/** crypto.randomUUID exists in secure contexts only, and a shop on plain http is not one. */
function uuid(): string {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
