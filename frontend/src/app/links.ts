import type { View } from "$lib/api/types";
import type { IconName } from "$lib/ui/icons";

/** The lists in the order of the navigation, with the second key of their `g` sequence. */
export const VIEW_LINKS: readonly { view: View; icon: IconName; key: string }[] = [
  { view: "mine", icon: "user", key: "m" },
  { view: "unassigned", icon: "queue", key: "u" },
  { view: "all", icon: "inbox", key: "i" },
  { view: "snoozed", icon: "clock", key: "z" },
  { view: "resolved", icon: "check", key: "d" },
];
