import { post, patch } from "$lib/api/client";
import type { Agent } from "$lib/api/types";
import { router } from "$lib/router/router.svelte";
import { desk } from "$lib/store";
import { errorWords } from "$features/triage";

export async function setAvailability(availability: Agent["availability"]): Promise<void> {
  try {
    desk.receive([{ kind: "agent", row: await patch<Agent>("/me", { availability }) }]);
  } catch (error) {
    desk.toasts.show(errorWords(error), { tone: "bad" });
  }
}

export async function signOut(): Promise<void> {
  try {
    await post<void>("/auth/logout");
    sessionStorage.clear();
    desk.leave();
    router.go("/signin");
  } catch (error) {
    desk.toasts.show(errorWords(error), { tone: "bad" });
  }
}
