export { assign, change, errorWords, reopen, resolve, setPriority, snooze, toggleLabel } from "./actions";
export { default as AssignMenu } from "./AssignMenu.svelte";
export { default as LabelMenu } from "./LabelMenu.svelte";
export { default as PriorityMenu } from "./PriorityMenu.svelte";
export { default as SnoozeMenu } from "./SnoozeMenu.svelte";
