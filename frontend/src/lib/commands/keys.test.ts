import { afterEach, expect, it, vi } from "vitest";

import { isTyping, pressed } from "./keys";
import { commands } from "./registry.svelte";

const key = (init: KeyboardEventInit) => new KeyboardEvent("keydown", { cancelable: true, ...init });
const removers: (() => void)[] = [];
afterEach(() => removers.splice(0).forEach((remove) => remove()));

function add(keys: string[], run: () => void, whileTyping = false) {
  removers.push(commands.add(() => [{ id: keys.join(), title: "", group: "", keys, run, whileTyping }]));
}

it("a key is found by its place where the layout has no Latin letters", () => {
  expect(pressed(key({ key: "о", code: "KeyJ" }))).toBe("j");
  expect(pressed(key({ key: "j", code: "KeyC" }))).toBe("j");
});

it("an open IME owns every key", () => {
  expect(pressed(key({ key: "Enter", isComposing: true }))).toBeNull();
});

it("a question mark is itself, whatever makes it", () => {
  expect(pressed(key({ key: "?", code: "Slash", shiftKey: true }))).toBe("?");
  expect(pressed(key({ key: "E", code: "KeyE", shiftKey: true }))).toBe("Shift+e");
});

it("two keys in a row are a sequence", () => {
  const run = vi.fn();
  add(["g m"], run);
  for (const name of ["g", "m"]) commands.handle(key({ key: name, code: `Key${name.toUpperCase()}` }), true);
  expect(run).toHaveBeenCalledOnce();
});

it("letters can be switched off, combinations not", () => {
  const letter = vi.fn();
  const combination = vi.fn();
  add(["e"], letter);
  add(["Mod+k"], combination, true);
  commands.handle(key({ key: "e", code: "KeyE" }), false);
  commands.handle(key({ key: "k", code: "KeyK", ctrlKey: true }), false);
  expect(letter).not.toHaveBeenCalled();
  expect(combination).toHaveBeenCalledOnce();
});

it("a text field is for typing", () => {
  expect(isTyping(document.createElement("textarea"))).toBe(true);
  expect(isTyping(document.createElement("button"))).toBe(false);
});
