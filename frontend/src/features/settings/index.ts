import "./tables.css";

import { loadTexts } from "$lib/i18n/locales";

// Forms here ask for the same things as the door does.
await Promise.all([loadTexts("settings"), loadTexts("door")]);

export { default as Settings } from "./Settings.svelte";
