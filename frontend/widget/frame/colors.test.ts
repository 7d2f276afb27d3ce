import { expect, it } from "vitest";

import { brand, BRAND, inkOn } from "./colors";

it("writes white on dark colours and near black on light ones", () => {
  expect(inkOn("#7a12d4")).toBe("#ffffff");
  expect(inkOn("#ffd43b")).toBe("#15111c");
});

it("takes only a plain colour from the settings", () => {
  expect(brand("url(https://evil.example)")).toBe(BRAND);
  expect(brand("#00ff00")).toBe("#00ff00");
});
