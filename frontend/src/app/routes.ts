import { matchPath } from "$lib/router/router.svelte";

export type RouteName = "signin" | "setup" | "home" | "list" | "conversation" | "link" | "settings" | "section";

const ROUTES = [
  ["signin", "/signin"],
  ["setup", "/setup"],
  ["home", "/"],
  ["link", "/c/:id"],
  ["list", "/inbox/:view"],
  ["conversation", "/inbox/:view/:id"],
  ["settings", "/settings"],
  ["section", "/settings/:section"],
] as const satisfies readonly (readonly [RouteName, string])[];

export const findRoute = (path: string) => matchPath<RouteName>(ROUTES, path);
