/** The shapes of /widget/api/{channel}: what the server answers and sends. */

export interface Mark {
  kind: string;
  offset: number;
  length: number;
  href?: string;
  language?: string;
}

export interface Attachment {
  id: string;
  kind: "image" | "video" | "audio" | "voice" | "document" | "sticker";
  name: string;
  content_type: string;
  state: "pending" | "ready" | "failed";
  size?: number;
  width?: number;
  height?: number;
}

/** One message as the visitor may see it. `sort` orders a thread by string comparison. */
export interface VisitorMessage {
  id: string;
  from: "visitor" | "agent";
  text: string;
  at: string;
  sort: string;
  version?: number;
  name?: string;
  marks?: Mark[];
  attachments?: Attachment[];
  state?: "sent" | "delivered" | "read";
  client_message_id?: string;
  deleted?: boolean;
}

export interface MessagePage {
  items: VisitorMessage[];
  resolved: boolean;
  has_more?: boolean;
}

export interface Config {
  name: string;
  workspace: string;
  color: string;
  greeting: string;
  locales: string[];
  online: boolean;
  back_at?: string;
  agents: { name: string }[];
  upload_limit: number;
  text_limit: number;
}

export interface Session {
  token: string;
  visitor_id: string;
  expires_at: string;
}

export interface Upload {
  upload_id: string;
  name: string;
  content_type: string;
  size: number;
}

export interface Outgoing {
  client_message_id: string;
  text: string;
  attachments: Upload[];
  page?: { url: string; title: string };
}

export type ServerFrame =
  | { type: "welcome"; cursor: string }
  | { type: "message.created" | "message.updated"; data: { message: VisitorMessage } }
  | { type: "conversation.updated"; data: { resolved: boolean } }
  | { type: "typing"; data: { name: string } }
  | { type: "reset" | "head" | "pong" }
  | { type: "bye"; reason: string; retry_after_ms?: number };
