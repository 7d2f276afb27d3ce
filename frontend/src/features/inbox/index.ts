export { conversationAddress, listAddress, queryOf } from "./address";
export { default as List } from "./List.svelte";
