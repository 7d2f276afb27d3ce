import "../styles/tokens.css";
import "../styles/base.css";

import { mount } from "svelte";

import { setLanguage } from "$lib/i18n/format";
import { loadTexts, pickLocale } from "$lib/i18n/locales";
import { prefs } from "$lib/prefs/prefs.svelte";
import { router } from "$lib/router/router.svelte";
import Frame from "./Frame.svelte";

const locale = pickLocale(navigator.languages);
document.documentElement.lang = locale;
setLanguage(locale);
prefs.start();
router.start();
await loadTexts("core");
const target = document.getElementById("app");
if (!target) throw new Error("the page has no #app");
target.replaceChildren();
mount(Frame, { target });
