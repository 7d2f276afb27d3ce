import { post } from "$lib/api/client";
import { ApiError } from "$lib/api/errors";
import type { Attachment, Message, NewMessage } from "$lib/api/types";
import { t } from "$lib/i18n/runtime";
import { Boxes } from "./box.svelte";

/** A reply that the server has not taken yet. */
export interface Pending {
  key: string;
  conversationId: string;
  text: string;
  isNote: boolean;
  attachments: readonly Attachment[];
  replyTo: { id: string; preview: string } | null;
  at: string;
  phase: "posting" | "failed";
  /** Why it is not gone, in words. */
  words: string;
}

export type Draft = Omit<Pending, "key" | "at" | "phase" | "words">;

interface OutgoingHooks {
  /** The server's message; the pending one disappears in the same moment. */
  accepted(message: Message): void;
}

/**
 * Replies on their way to the server: shown at once, sent one after the other per conversation, each under one key so
 * that a repeat cannot send twice. What fails stays, with its reason, until the user retries or discards it.
 */
export class Outgoing {
  readonly boxes = new Boxes<readonly Pending[]>();
  private readonly chains = new Map<string, Promise<void>>();

  constructor(private readonly hooks: OutgoingHooks) {}

  of(conversationId: string): readonly Pending[] {
    return this.boxes.of(conversationId).value ?? [];
  }

  send(draft: Draft): void {
    const pending: Pending = { ...draft, key: crypto.randomUUID(), at: new Date().toISOString(), phase: "posting", words: "" };
    this.set(draft.conversationId, [...this.of(draft.conversationId), pending]);
    this.enqueue(pending);
  }

  /** Same key: a message that did arrive is answered with itself, not sent again. */
  retry(pending: Pending): void {
    const again: Pending = { ...pending, phase: "posting", words: "" };
    this.replace(again);
    this.enqueue(again);
  }

  discard(pending: Pending): void {
    this.remove(pending.conversationId, pending.key);
  }

  /** The server has this message: nothing waits for it any more. */
  settled(message: Message): void {
    if (message.client_key) this.remove(message.conversation_id, message.client_key);
  }

  get unsent(): boolean {
    return this.boxes.ids().some((id) => this.of(id).length > 0);
  }

  private enqueue(pending: Pending): void {
    const before = this.chains.get(pending.conversationId) ?? Promise.resolve();
    const work = before.then(() => this.post(pending));
    this.chains.set(pending.conversationId, work);
  }

  private async post(pending: Pending): Promise<void> {
    const body: NewMessage = {
      body: pending.text,
      private: pending.isNote,
      attachment_ids: pending.attachments.map((item) => item.id),
      reply_to: pending.replyTo?.id ?? null,
      client_key: pending.key,
    };
    try {
      const path = `/conversations/${pending.conversationId}/messages`;
      this.hooks.accepted(await post<Message>(path, body, { "Idempotency-Key": pending.key }));
    } catch (error) {
      this.failed(pending, error);
    }
  }

  private failed(pending: Pending, error: unknown): void {
    const words = error instanceof ApiError ? error.message : t("send.noAnswer");
    this.replace({ ...pending, phase: "failed", words });
  }

  private replace(pending: Pending): void {
    const items = this.of(pending.conversationId);
    this.set(pending.conversationId, items.map((item) => (item.key === pending.key ? pending : item)));
  }

  private remove(conversationId: string, key: string): void {
    const items = this.of(conversationId);
    if (items.some((item) => item.key === key)) this.set(conversationId, items.filter((item) => item.key !== key));
  }

  private set(conversationId: string, items: readonly Pending[]): void {
    this.boxes.of(conversationId).value = items;
  }
}
