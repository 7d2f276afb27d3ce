import type { EventData } from "./events";
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Conversation = Schemas["ConversationView"];
export type Status = Conversation["status"];
export type Priority = Conversation["priority"];
export type Preview = Schemas["PreviewView"];
export type Message = Schemas["MessageView"];
export type Mark = Schemas["MarkView"];
export type Attachment = Schemas["AttachmentView"];
export type Contact = Schemas["ContactView"];
export type Agent = Schemas["AgentView"];
export type Channel = Schemas["ChannelView"];
export type Label = Schemas["LabelView"];

export const VIEWS = ["mine", "unassigned", "all", "snoozed", "resolved"] as const;
export type View = (typeof VIEWS)[number];
export type Counts = Record<View, number>;
export const SORTS = ["newest", "oldest", "waiting"] as const;
export type Sort = (typeof SORTS)[number];

export type EventName = keyof EventData;
export type LiveEvent = {
  [Name in EventName]: { type: Name; cursor: string; id: string; at: string; data: EventData[Name] };
}[EventName];

export interface Workspace {
  id: string;
  name: string;
}

export interface Session {
  user: Agent;
  csrf_token: string;
  workspace: Workspace;
}

export interface DemoLinks {
  phone_url: string;
  shop_url: string;
}

export interface Boot extends Session {
  agents: Agent[];
  channels: Channel[];
  labels: Label[];
  conversations: { items: Conversation[]; next_cursor: string | null };
  counts: Counts;
  open_letters: number;
  cursor: string;
  server_time: string;
  demo: DemoLinks | null;
}

export interface SetupState {
  needed: boolean;
  demo?: { password: string; people: { name: string; email: string }[] } | null;
}

export interface ConversationPage {
  items: Conversation[];
  next_cursor: string | null;
  counts: Counts;
}

export interface MessagePage {
  items: Message[];
  has_more: boolean;
}

export interface ConversationPatch {
  status?: Status;
  assignee_id?: string | null;
  priority?: Priority;
  snoozed_until?: string | null;
  label_ids?: string[];
}

export interface NewMessage {
  body: string;
  private: boolean;
  attachment_ids: string[];
  reply_to: string | null;
  client_key: string;
}

export interface Candidate {
  agent_id: string;
  name: string;
  removed_by?: string | null;
  detail?: string | null;
  score?: number | null;
}

export interface Decision {
  at: string;
  outcome: string;
  agent_id?: string | null;
  words: string;
  rule_version?: string | number | null;
  candidates: Candidate[];
  /** False when it was overtaken before it took effect. */
  applied?: boolean;
}

export interface ChannelSetting {
  name: string;
  label: string;
  help?: string;
  secret?: boolean;
  required?: boolean;
  generated?: boolean;
  default?: string | null;
}

export interface ChannelKind {
  kind: string;
  title: string;
  settings: ChannelSetting[];
}

export interface Probe {
  ok: boolean;
  words: string;
}

export interface CreatedChannel {
  channel: Channel;
  secrets: Record<string, string>;
  probe: Probe | null;
}

export interface Letter {
  id: string;
  at: string;
  channel_id?: string | null;
  channel_name?: string;
  reason: string;
  detail?: string | null;
  excerpt?: string | null;
  state: "open" | "processed" | "discarded";
  attempts: number;
}

export interface RawEvent {
  id: string;
  received_at: string;
  channel_id: string;
  channel_name: string | null;
  state: string;
  size: number;
  reason?: string | null;
  attempts: number;
  processed_at?: string | null;
}

export interface RawEventDetail {
  body_text: string;
  headers: Record<string, string>;
  size: number;
}

export interface Delivery {
  id: string;
  message_id: string;
  conversation_id: string;
  at: string;
  channel_name: string | null;
  attempt: number;
  outcome: "started" | "sent" | "retryable" | "permanent" | "unknown";
  code?: string | null;
  words?: string | null;
  ms?: number | null;
}

export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}
