import { get } from "$lib/api/client";
import { ApiError } from "$lib/api/errors";
import type { SetupState, View } from "$lib/api/types";
import { router } from "$lib/router/router.svelte";
import { desk } from "$lib/store";
import type { ListQuery } from "$lib/store/views";

/** The request that index.html starts before any code of the app has arrived. */
interface EarlyBoot {
  view: View;
  answer: Promise<Response | null>;
}

declare global {
  interface Window {
    __boot?: EarlyBoot | undefined;
  }
}

function takeEarly(view: View): Promise<Response | null> | null {
  const early = window.__boot;
  window.__boot = undefined;
  return early?.view === view ? early.answer : null;
}

/** Where somebody who is not signed in has to go. */
export async function doorAddress(from: string): Promise<string> {
  const setup = await get<SetupState>("/setup");
  if (setup.needed) return "/setup";
  return from === "/" ? "/signin" : `/signin?next=${encodeURIComponent(from)}`;
}

/** Loads the first picture, or goes to the door. Throws NetworkError or ApiError when neither can be known. */
export async function enter(query: ListQuery): Promise<void> {
  try {
    await desk.start(query, takeEarly(query.view));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    router.go(await doorAddress(location.pathname + location.search), { replace: true });
  }
}
