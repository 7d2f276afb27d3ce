export { assign, change, errorWords, reopen, resolve, setPriority, snooze, toggleLabel } from "./actions";

/** The menus behind the buttons of a conversation. They come after the conversation itself is on screen. */
export const loadMenus = () => import("./Menus.svelte").then((module) => module.default);
