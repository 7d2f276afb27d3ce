import { mount } from "svelte";
import { Api } from "./api";
import App from "./App.svelte";
import { Chat } from "./chat.svelte";
import { alone, embedded, type Host } from "./host";
import { speak } from "./i18n";
import { loadTalk } from "./kit.svelte";
import { Memory } from "./memory";
import "./base.css";

const query = new URLSearchParams(location.search);
const channel = query.get("channel") ?? "";
const host: Host =
  window.parent === window ? alone(channel, localStorage) : embedded(query.get("host") ?? location.origin);
const memory = new Memory(channel, () => localStorage);
const chat = new Chat({
  api: new Api(`/widget/api/${encodeURIComponent(channel)}`),
  memory,
  tokenChanged: (token) => host.say({ meridian: "token", token }),
  now: () => new Date(),
});

host.listen((message) => {
  switch (message.meridian) {
    case "start":
      void chat.start(message.token);
      mount(App, { target: document.getElementById("chat")!, props: { chat, host, memory } });
      return;
    case "open":
      return chat.setOpen(true, message.focus);
    case "close":
      return chat.setOpen(false);
    case "page":
      chat.page = { url: message.page.url.slice(0, 2000), title: message.page.title.slice(0, 200) };
      return;
    case "token":
      return void chat.adopt(message.token);
  }
});
// The page shows the panel when it is ready, and says so in words when it never is.
const wanted = [query.get("locale") ?? "", ...navigator.languages];
await speak(wanted);
chat.locale = wanted.find(Boolean) ?? "en";
host.say({ meridian: "ready" });

const RETRY_MS = 5_000;
function rest(): void {
  loadTalk(chat).catch(() => setTimeout(rest, RETRY_MS));
}
(window.requestIdleCallback ?? setTimeout)(rest);
