import { call, decode, get, onSignedOut, useCsrfToken } from "$lib/api/client";
import { ApiError } from "$lib/api/errors";
import type {
  Agent, Boot, Channel, Contact, Conversation, ConversationPage, ConversationPatch, Counts, DemoLinks, Label, LiveEvent,
  Message, Session, View, Workspace,
} from "$lib/api/types";
import { Feed, type LinkState } from "$lib/live/feed";
import { gatewayUrl, LiveSocket } from "$lib/live/socket";
import { Boxes } from "./box.svelte";
import { ConversationList, sameQuery } from "./list.svelte";
import { Outgoing } from "./outgoing.svelte";
import { conflicts, Overlays } from "./overlays";
import { apply, conversationChanges, messageChanges } from "./reducer";
import { commit, emptyRows, type Change, type Rows } from "./rows";
import { Threads } from "./threads.svelte";
import { Toasts } from "./toasts.svelte";
import { addCounts, countDelta, noCounts, type ListQuery } from "./views";

const COUNT_DELAY_MS = 500;
const COUNT_CHECK_MS = 10_000;
const RESET_RETRY_MS = 3_000;
const TRIES_OF_A_PATCH = 3;

export class Conflict extends Error {
  constructor(
    readonly current: Conversation,
    readonly fields: readonly (keyof ConversationPatch)[],
  ) {
    super("changed by somebody else");
  }
}

/**
 * Everything an agent's page knows, kept current by events: the server's rows, the user's unconfirmed changes over
 * them, the list on screen, the opened threads, and the link. Views watch boxes; nothing else writes to them.
 */
export class Desk {
  rows: Rows = emptyRows();
  readonly conversations = new Boxes<Conversation>();
  readonly contacts = new Boxes<Contact>();
  readonly toasts = new Toasts();
  readonly overlays = new Overlays();
  readonly list: ConversationList;
  readonly threads: Threads;
  readonly outgoing: Outgoing;

  ready = $state(false);
  signedOut = $state(false);
  me = $state("");
  workspace = $state.raw<Workspace>({ id: "", name: "" });
  agents = $state.raw<readonly Agent[]>([]);
  channels = $state.raw<readonly Channel[]>([]);
  labels = $state.raw<readonly Label[]>([]);
  counts = $state.raw<Counts>(noCounts());
  openLetters = $state(0);
  /** Grows when a failure came or went: lists of failures read again. */
  letterChanges = $state(0);
  demo = $state.raw<DemoLinks | null>(null);
  link = $state<LinkState>("connecting");
  offlineSince = $state.raw<Date | null>(null);
  openId = $state<string | null>(null);

  user = $derived(this.agents.find((agent) => agent.id === this.me));
  agentById = $derived(new Map(this.agents.map((agent) => [agent.id, agent])));
  channelById = $derived(new Map(this.channels.map((channel) => [channel.id, channel])));
  labelById = $derived(new Map(this.labels.map((label) => [label.id, label])));

  private socket: LiveSocket | null = null;
  private countTimer = 0;
  private checkTimer = 0;

  constructor() {
    this.list = new ConversationList({
      row: (id) => this.shown(id),
      me: () => this.me,
      receive: (page) => this.receivePage(page),
    });
    this.threads = new Threads(
      () => this.rows,
      (messages) => messages.forEach((message) => this.outgoing.settled(message)),
    );
    this.outgoing = new Outgoing({
      accepted: (message) => this.receiveMessages([message]),
    });
    onSignedOut(() => this.leave());
  }

  /** The first picture. `answer` is a request that the page itself already started, or null. */
  async start(query: ListQuery, answer: Promise<Response | null> | null): Promise<void> {
    const early = await answer;
    const boot = early ? await decode<Boot>(early) : await this.fetchBoot(query.view);
    this.adopt(boot);
    this.showBoot(boot, query);
    this.ready = true;
    this.signedOut = false;
    this.goLive(boot.cursor);
  }

  /** After a sign-in or the set-up. */
  useSession(session: Session): void {
    useCsrfToken(session.csrf_token);
    this.signedOut = false;
  }

  /** The session is over: nothing of it stays in memory. */
  leave(): void {
    this.socket?.stop();
    this.socket = null;
    this.rows = emptyRows();
    // Somebody who never was in has no session that ended.
    this.signedOut = this.ready;
    this.ready = false;
  }

  /** The row as the user should see it: the server's, with unconfirmed changes over it. */
  shown(id: string): Conversation | undefined {
    const row = this.rows.conversations.get(id);
    return row && this.overlays.over(row);
  }

  async open(id: string): Promise<void> {
    if (this.openId !== id) {
      this.close();
      this.openId = id;
      this.socket?.send({ type: "watch", conversation_id: id });
    }
    const missing = this.rows.conversations.has(id) ? null : this.fetchConversation(id);
    await Promise.all([missing, this.threads.open(id)]);
  }

  close(): void {
    if (this.openId) this.socket?.send({ type: "unwatch", conversation_id: this.openId });
    this.openId = null;
  }

  sayTyping(id: string, on: boolean): void {
    this.socket?.send({ type: "typing", conversation_id: id, on });
  }

  async loadContact(id: string): Promise<void> {
    this.receive([{ kind: "contact", row: await get<Contact>(`/contacts/${id}`) }]);
  }

  /**
   * Changes a conversation: shown at once, confirmed or taken back by the server. A change that does not touch what
   * somebody else changed meanwhile is repeated on the new row. Throws Conflict, ApiError or NetworkError.
   */
  async change(id: string, patch: ConversationPatch): Promise<void> {
    const key = this.overlays.add(id, patch);
    this.show([id], true);
    try {
      this.receiveConversation(await this.sendPatch(id, patch));
    } finally {
      this.overlays.remove(id, key);
      this.show([id], true);
    }
  }

  /** Takes rows that an answer brought. */
  receive(changes: readonly Change[]): void {
    commit(this.rows, changes);
    this.publish(changes);
  }

  receiveConversation(row: Conversation): void {
    this.receive(conversationChanges(this.rows, row));
  }

  receiveMessages(messages: readonly Message[]): void {
    for (const message of messages) {
      this.receive(messageChanges(this.rows, message));
      this.outgoing.settled(message);
    }
  }

  applyEvents(events: readonly LiveEvent[]): void {
    const all: Change[] = [];
    for (const event of events) {
      const changes = apply(this.rows, event);
      commit(this.rows, changes);
      all.push(...changes);
    }
    this.publish(all);
  }

  private async sendPatch(id: string, patch: ConversationPatch): Promise<Conversation> {
    const base = this.rows.conversations.get(id);
    for (let attempt = 1; ; attempt++) {
      const version = this.rows.conversations.get(id)?.version;
      const headers: Record<string, string> = version === undefined ? {} : { "If-Match": `"${version}"` };
      try {
        return await call<Conversation>("PATCH", `/conversations/${id}`, { body: patch, headers });
      } catch (error) {
        const current = error instanceof ApiError && error.status === 409 ? error.problem.current : undefined;
        if (!current || !base) throw error;
        this.receiveConversation(current);
        const fields = conflicts(base, current, patch);
        if (fields.length > 0 || attempt === TRIES_OF_A_PATCH) throw new Conflict(current, fields);
      }
    }
  }

  private receivePage(page: ConversationPage): void {
    for (const row of page.items) {
      const old = this.rows.conversations.get(row.id);
      if (!old || old.version < row.version) this.receive([{ kind: "conversation", row }]);
    }
    this.rows.counts = page.counts;
    this.showCounts();
  }

  private async fetchConversation(id: string): Promise<void> {
    const row = await get<Conversation>(`/conversations/${id}`);
    // Its badges are counted already: it is new only to this page.
    if (!this.rows.conversations.has(id)) this.receive([{ kind: "conversation", row }]);
  }

  private fetchBoot(view: View): Promise<Boot> {
    return get<Boot>("/boot", { view, limit: 20 });
  }

  private adopt(boot: Boot): void {
    useCsrfToken(boot.csrf_token);
    const rows = emptyRows(boot.user.id);
    for (const row of boot.conversations.items) rows.conversations.set(row.id, row);
    for (const row of boot.agents) rows.agents.set(row.id, row);
    rows.agents.set(boot.user.id, boot.user);
    for (const row of boot.channels) rows.channels.set(row.id, row);
    for (const row of boot.labels) rows.labels.set(row.id, row);
    rows.counts = boot.counts;
    rows.openLetters = boot.open_letters;
    // Threads stay collected across a reset; what they hold is fetched again.
    for (const [id, thread] of this.rows.threads) rows.threads.set(id, thread);
    this.rows = rows;
    this.me = boot.user.id;
    this.workspace = boot.workspace;
    this.demo = boot.demo;
    this.showReference();
  }

  private showBoot(boot: Boot, query: ListQuery): void {
    this.show(boot.conversations.items.map((row) => row.id));
    const plain: ListQuery = { view: query.view, channel: null, label: null, sort: "newest" };
    if (sameQuery(query, plain)) this.list.adopt(query, boot.conversations.items, boot.conversations.next_cursor);
    else void this.list.open(query);
  }

  /** Reads everything again without emptying the screen. */
  private async reboot(): Promise<string> {
    const query = this.list.query;
    const boot = await this.fetchBoot(query.view);
    this.adopt(boot);
    this.showBoot(boot, query);
    this.threads.invalidate(this.openId);
    if (this.openId && !this.rows.conversations.has(this.openId)) void this.fetchConversation(this.openId);
    return boot.cursor;
  }

  private goLive(cursor: string): void {
    this.socket?.stop();
    const feed = new Feed(cursor, {
      onEvents: (events) => this.applyEvents(events),
      onReset: () => this.reboot(),
      onResetFailed: () => this.socket?.reconnect(RESET_RETRY_MS),
      ping: (delay) => void setTimeout(() => this.socket?.send({ type: "ping" }), delay),
      onState: (state) => this.setLink(state),
      schedule: (work) => (document.hidden ? setTimeout(work, 250) : requestAnimationFrame(work)),
      now: () => Date.now(),
    });
    this.socket = new LiveSocket(gatewayUrl(location), {
      cursor: () => feed.cursor,
      onOpen: () => feed.opened(),
      onFrames: (frames) => feed.receive(frames),
      onLost: () => feed.lost(),
      onSignedOut: () => this.leave(),
    });
    this.socket.start();
  }

  private setLink(state: LinkState): void {
    if (state === "offline") this.offlineSince ??= new Date();
    if (state === "live") this.offlineSince = null;
    this.link = state;
    if (state === "catching-up" && this.openId) this.socket?.send({ type: "watch", conversation_id: this.openId });
  }

  private publish(changes: readonly Change[]): void {
    const conversations = new Set<string>();
    const threads = new Set<string>();
    const kinds = new Set(changes.map((change) => change.kind));
    for (const change of changes) {
      if (change.kind === "conversation") conversations.add(change.row.id);
      if (change.kind === "contact") this.contacts.of(change.row.id).value = change.row;
      if (change.kind === "message") {
        threads.add(change.row.conversation_id);
        this.outgoing.settled(change.row);
      }
    }
    this.threads.refresh(threads);
    this.show(conversations);
    if (kinds.has("agent") || kinds.has("channel") || kinds.has("label")) this.showReference();
    if (kinds.has("letters")) {
      this.openLetters = this.rows.openLetters;
      this.letterChanges += 1;
    }
    if (kinds.has("counts-unknown")) this.countSoon(COUNT_DELAY_MS);
    else if (kinds.has("counts")) this.checkCounts();
  }

  private show(ids: Iterable<string>, now = false): void {
    const changed = [...ids];
    if (changed.length === 0) return;
    for (const id of changed) this.conversations.of(id).value = this.shown(id);
    this.list.touch(changed, now);
    this.showCounts();
  }

  private showReference(): void {
    const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);
    this.agents = [...this.rows.agents.values()].sort(byName);
    this.channels = [...this.rows.channels.values()].sort(byName);
    this.labels = [...this.rows.labels.values()].sort(byName);
    this.openLetters = this.rows.openLetters;
  }

  private showCounts(): void {
    let counts = this.rows.counts;
    for (const id of this.overlays.ids()) {
      const row = this.rows.conversations.get(id);
      if (row) counts = addCounts(counts, countDelta(row, this.overlays.over(row), this.me));
    }
    this.counts = counts;
  }

  private countSoon(delay: number): void {
    if (this.countTimer) return;
    this.countTimer = window.setTimeout(() => {
      this.countTimer = 0;
      void this.fetchCounts();
    }, delay);
  }

  /** Sums of differences drift when an answer overtakes an event; one question after a quiet while sets them right. */
  private checkCounts(): void {
    this.showCounts();
    window.clearTimeout(this.checkTimer);
    this.checkTimer = window.setTimeout(() => void this.fetchCounts(), COUNT_CHECK_MS);
  }

  private async fetchCounts(): Promise<void> {
    if (!this.ready) return;
    try {
      this.rows.counts = await get<Counts>("/counts");
      this.showCounts();
    } catch (error) {
      // The badges stay as they were; the next change asks again.
      console.warn("counts not loaded", error);
    }
  }
}
