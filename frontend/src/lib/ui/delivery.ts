import type { Message } from "$lib/api/types";
import { t } from "$lib/i18n/runtime";
import type { IconName } from "./icons";

export interface DeliveryLook {
  icon: IconName;
  words: string;
  tone: "muted" | "ok" | "warn" | "bad";
}

type State = Message["state"];

const LOOK: Record<State, readonly [IconName, DeliveryLook["tone"]]> = {
  received: ["check", "muted"],
  noted: ["note", "muted"],
  queued: ["clock", "muted"],
  sending: ["clock", "muted"],
  sent: ["check", "muted"],
  delivered: ["checks", "muted"],
  read: ["checks", "ok"],
  failed: ["alert", "bad"],
  unknown: ["question", "warn"],
};

/** How a delivery state looks: always a word and a shape, never a colour alone. */
export function deliveryLook(state: State): DeliveryLook {
  const [icon, tone] = LOOK[state];
  return { icon, tone, words: t(`state.${state}`) };
}
