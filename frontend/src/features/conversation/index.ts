export { default as Conversation } from "./Conversation.svelte";
