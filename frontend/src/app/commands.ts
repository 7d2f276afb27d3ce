import type { Command } from "$lib/commands/registry.svelte";
import { isMac } from "$lib/commands/keys";
import { t } from "$lib/i18n/runtime";
import { prefs } from "$lib/prefs/prefs.svelte";
import { router } from "$lib/router/router.svelte";
import { desk } from "$lib/store";
import { drafts } from "$lib/store/drafts.svelte";
import { conversationAddress, listAddress } from "$features/inbox";
import { assign, reopen, resolve } from "$features/triage";
import { setAvailability } from "./account";
import { VIEW_LINKS } from "./links";

export interface Screen {
  openPalette: () => void;
  openSheet: () => void;
  togglePanel: () => void;
  focusRow: (id: string) => void;
}

const openRow = () => (desk.openId ? desk.shown(desk.openId) : undefined);
const hasOpen = () => openRow() !== undefined;

function showMenu(id: string): void {
  document.getElementById(id)?.showPopover();
}

function write(mode: "reply" | "note"): void {
  if (!desk.openId) return;
  drafts.of(desk.openId).mode = mode;
  requestAnimationFrame(() => document.getElementById("composer-text")?.focus());
}

/** The row that the keys act on: the open conversation, or the one that has the focus in the list. */
function currentRow(): string | null {
  const focused = document.activeElement?.closest("[data-row]")?.getAttribute("data-row");
  return focused ?? desk.openId;
}

function step(screen: Screen, by: 1 | -1): void {
  const next = desk.list.neighbour(currentRow(), by);
  if (!next) return;
  desk.list.hold();
  if (desk.openId) router.go(conversationAddress(desk.list.query, next), { replace: true });
  screen.focusRow(next);
}

function openCurrent(): void {
  const id = currentRow() ?? desk.list.ids[0];
  if (id) router.go(conversationAddress(desk.list.query, id));
  requestAnimationFrame(() => document.getElementById("thread-heading")?.focus());
}

function back(screen: Screen): void {
  const was = desk.openId;
  if (!was) return;
  router.go(listAddress(desk.list.query));
  screen.focusRow(was);
}

/** Resolves and moves on to the next conversation, so that a list can be worked through. */
function resolveAndNext(): void {
  const id = desk.openId;
  if (!id) return;
  const next = desk.list.neighbour(id, 1) ?? desk.list.neighbour(id, -1);
  void resolve(id);
  router.go(next && next !== id ? conversationAddress(desk.list.query, next) : listAddress(desk.list.query), { replace: true });
}

function conversationCommands(screen: Screen): Command[] {
  const group = t("group.conversation");
  const enabled = hasOpen;
  return [
    { id: "reply", title: t("composer.writeReply"), group, keys: ["r"], enabled, run: () => write("reply") },
    { id: "note", title: t("composer.writeNote"), group, keys: ["n"], enabled, run: () => write("note") },
    { id: "assign", title: t("cmd.assign"), group, keys: ["a"], enabled, run: () => showMenu("assign-menu") },
    { id: "assign-me", title: t("assign.me"), group, keys: ["i"], enabled, run: () => void assign(desk.openId!, desk.me) },
    { id: "resolve", title: t("cmd.resolve"), group, keys: ["e"], enabled: () => hasOpen() && openRow()!.status !== "resolved", run: resolveAndNext },
    { id: "reopen", title: t("action.reopen"), group, keys: ["Shift+e"], enabled: () => hasOpen() && openRow()!.status === "resolved", run: () => void reopen(desk.openId!) },
    { id: "snooze", title: t("cmd.snooze"), group, keys: ["h"], enabled, run: () => showMenu("snooze-menu") },
    { id: "labels", title: t("cmd.labels"), group, keys: ["l"], enabled, run: () => showMenu("label-menu") },
    { id: "priority", title: t("cmd.priority"), group, keys: ["p"], enabled, run: () => showMenu("priority-menu") },
    { id: "details", title: t("cmd.details"), group, keys: ["]"], enabled, run: screen.togglePanel },
    { id: "undo", title: t("cmd.undo"), group, keys: ["z"], run: () => void desk.toasts.undoLast() },
  ];
}

function moveCommands(screen: Screen): Command[] {
  const group = t("group.move");
  const inInbox = () => router.path.startsWith("/inbox");
  return [
    { id: "next", title: t("cmd.next"), group, keys: ["j", "ArrowDown"], enabled: () => inInbox() && !inScroller(), run: () => step(screen, 1) },
    { id: "previous", title: t("cmd.previous"), group, keys: ["k", "ArrowUp"], enabled: () => inInbox() && !inScroller(), run: () => step(screen, -1) },
    { id: "open", title: t("cmd.open"), group, keys: ["Enter", "o"], enabled: inInbox, run: openCurrent },
    { id: "back", title: t("cmd.back"), group, keys: ["Escape"], enabled: hasOpen, run: () => back(screen) },
    { id: "settle", title: t("cmd.settle"), group, keys: ["."], enabled: inInbox, run: () => desk.list.release() },
    ...VIEW_LINKS.map(({ view, key }) => ({
      id: `view-${view}`,
      title: t("cmd.goView", { view: t(`view.${view}`) }),
      group,
      keys: [`g ${key}`],
      run: () => router.go(`/inbox/${view}`),
    })),
    { id: "settings", title: t("cmd.goSettings"), group, keys: ["g s"], run: () => router.go("/settings") },
    { id: "failures", title: t("cmd.goFailures"), group, run: () => router.go("/settings/failures") },
    { id: "channels", title: t("cmd.goChannels"), group, run: () => router.go("/settings/channels") },
  ];
}

/** The thread scrolls with the arrow keys when it has the focus; there they are not ours. */
function inScroller(): boolean {
  return document.activeElement?.getAttribute("role") === "log";
}

function pageCommands(screen: Screen): Command[] {
  const group = t("group.page");
  return [
    { id: "palette", title: t("palette.title"), group, keys: ["Mod+k"], whileTyping: true, run: screen.openPalette },
    { id: "sheet", title: t("sheet.title"), group, keys: ["?"], run: screen.openSheet },
    { id: "available", title: t("cmd.available"), group, run: () => void setAvailability("available") },
    { id: "away", title: t("cmd.away"), group, run: () => void setAvailability("away") },
    { id: "light", title: t("cmd.theme", { theme: t("theme.light") }), group, run: () => prefs.set({ theme: "light" }) },
    { id: "dark", title: t("cmd.theme", { theme: t("theme.dark") }), group, run: () => prefs.set({ theme: "dark" }) },
    { id: "hc", title: t("cmd.theme", { theme: t("theme.hc") }), group, run: () => prefs.set({ theme: "hc" }) },
  ];
}

export function appCommands(screen: Screen): Command[] {
  return [...conversationCommands(screen), ...moveCommands(screen), ...pageCommands(screen)];
}

/** Keys of the composer, which handles them itself; listed so that the sheet is complete. */
export function composerKeys(): { title: string; keys: string }[] {
  return [
    { title: t("composer.send"), keys: isMac ? "⌘⏎" : "Ctrl+⏎" },
    { title: t("cmd.newLine"), keys: "Shift+⏎" },
  ];
}
