export { default as Palette } from "./Palette.svelte";
export { default as Sheet } from "./Sheet.svelte";
