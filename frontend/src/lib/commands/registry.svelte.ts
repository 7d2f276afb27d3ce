import { untrack } from "svelte";

import { isTyping, pressed } from "./keys";

export interface Command {
  id: string;
  title: string;
  group: string;
  /** Combinations that run it; the first is the one that is shown. */
  keys?: readonly string[];
  /** Also works while typing, as Ctrl-K must. */
  whileTyping?: boolean;
  enabled?: () => boolean;
  run: () => void;
}

const SEQUENCE_MS = 1_000;
const OPEN_ON_TOP = "dialog[open], [popover]:popover-open";

/** All that can be done, in one list: the keys, the palette and the sheet of shortcuts read it. */
class Commands {
  private sets = $state.raw<readonly (() => readonly Command[])[]>([]);
  all = $derived(this.sets.flatMap((set) => set()));
  private first = "";
  private firstAt = 0;

  /** Adds commands for as long as their view lives. Returns what removes them. */
  add(set: () => readonly Command[]): () => void {
    // Adding is not reading: an effect that adds must not run again because of it.
    this.sets = [...untrack(() => this.sets), set];
    return () => {
      this.sets = this.sets.filter((other) => other !== set);
    };
  }

  /** Runs what a key stands for. `letters` says whether single keys are switched on. */
  handle(event: KeyboardEvent, letters: boolean): void {
    const key = pressed(event);
    if (!key || event.defaultPrevented) return;
    const typing = isTyping(event.target);
    // What is open on top has the keys, wherever the focus is.
    const inDialog = document.querySelector(OPEN_ON_TOP) !== null;
    const sequence = event.timeStamp - this.firstAt < SEQUENCE_MS ? `${this.first} ${key}` : "";
    this.first = typing ? "" : key;
    this.firstAt = event.timeStamp;
    const command = this.find(sequence) ?? this.find(key);
    if (!command || ((typing || inDialog) && !command.whileTyping)) return;
    const needsLetters = !key.includes("Mod+") && key !== "Escape";
    if (needsLetters && !letters) return;
    // Enter and Space belong to the button or link that has the focus.
    if (key === "Enter" && event.target instanceof Element && event.target.closest("a, button, summary")) return;
    event.preventDefault();
    this.first = "";
    command.run();
  }

  private find(keys: string): Command | undefined {
    if (!keys) return undefined;
    return this.all.find((command) => command.keys?.includes(keys) && (command.enabled?.() ?? true));
  }
}

export const commands = new Commands();
