import { expect, it } from "vitest";

import { matchPath } from "./router.svelte";

const ROUTES = [
  ["list", "/inbox/:view"],
  ["conversation", "/inbox/:view/:id"],
] as const;

it("an address finds its page and values", () => {
  expect(matchPath(ROUTES, "/inbox/mine")).toEqual({ name: "list", params: { view: "mine" } });
  expect(matchPath(ROUTES, "/inbox/mine/42/")).toEqual({ name: "conversation", params: { view: "mine", id: "42" } });
});

it("an unknown address finds none", () => {
  expect(matchPath(ROUTES, "/elsewhere")).toBeNull();
  expect(matchPath(ROUTES, "/inbox/mine/42/more")).toBeNull();
});

it("a value that is not valid in an address is taken as it is", () => {
  expect(matchPath(ROUTES, "/inbox/%E0%A4%A")).toEqual({ name: "list", params: { view: "%E0%A4%A" } });
  expect(matchPath(ROUTES, "/inbox/a%20b")?.params["view"]).toBe("a b");
});
