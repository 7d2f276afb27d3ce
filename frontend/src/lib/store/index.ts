import { Desk } from "./desk.svelte";

/** The one desk of this page. */
export const desk = new Desk();
