import type { Message, Priority } from "$lib/api/types";
import { t } from "$lib/i18n/runtime";
import { whenWords } from "$lib/time/words";

/** What happened, as a sentence: "Olga assigned this to Diego". */
export function activityWords(message: Message, me: string, now: Date): string {
  const facts = message.activity ?? {};
  const who = message.author.id === me ? t("activity.you") : message.author.name || t("activity.system");
  switch (facts["what"]) {
    case "assigned":
      return facts["agent"] === message.author.name
        ? t("activity.assignedSelf", { who })
        : t("activity.assigned", { who, agent: facts["agent"] ?? "" });
    case "routed":
      // The router explains itself in a whole sentence.
      return facts["why"] ?? t("activity.routed", { agent: facts["agent"] ?? "" });
    case "unassigned":
      return t("activity.unassigned", { who });
    case "resolved":
      return t("activity.resolved", { who });
    case "reopened":
      return t("activity.reopened", { who });
    case "open":
    case "pending":
      return t("activity.status", { who, status: facts["what"] });
    case "snoozed":
      return t("activity.snoozed", { who, when: facts["until"] ? whenWords(facts["until"], now) : "" });
    case "priority":
      return t("activity.priority", { who, priority: t(`priority.${(facts["priority"] ?? "none") as Priority}`) });
    default:
      return message.text || t("activity.other", { who });
  }
}
