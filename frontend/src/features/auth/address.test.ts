import { expect, it } from "vitest";

import { passwordStrength, safeNext } from "./address";

it("signing in leads back into this app and nowhere else", () => {
  expect(safeNext("/inbox/mine?label=1")).toBe("/inbox/mine?label=1");
  expect([null, "https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"].map(safeNext)).toEqual(["/", "/", "/", "/", "/"]);
});

it("length makes a password strong", () => {
  expect(["short", "aaaaaaaaaaaaaaaa", "abcdefgh", "Abcdef123!", "correct horse battery"].map(passwordStrength)).toEqual([0, 1, 1, 2, 3]);
});
