import { loadTexts } from "$lib/i18n/locales";

await loadTexts("door");

export { default as Setup } from "./Setup.svelte";
export { default as SignIn } from "./SignIn.svelte";
