export { default as Composer } from "./Composer.svelte";
export { drafts } from "./drafts.svelte";
