import { avatar, element, messageRows, summary, timeIn, typingRow } from "./phone-view.js";

const $ = (id) => document.getElementById(id);
const state = {
  people: [], channels: [], chats: [], person: null, channel: null, chat: null, messages: [],
  selected: null, context: null, typingUntil: 0, pinned: true,
};

// ------------------------------------------------------------------ the control API

async function control(method, path, body) {
  const options = { method };
  if (body !== undefined) {
    options.headers = { "content-type": "application/json" };
    options.body = JSON.stringify(body);
  }
  const response = await fetch(`/control${path}`, options);
  const value = await response.json();
  if (!response.ok) throw new Error(value.error || `The sandbox answered ${response.status}.`);
  return value;
}

async function guarded(work) {
  try {
    $("notice").hidden = true;
    await work();
  } catch (error) {
    $("notice").textContent = error.message;
    $("notice").hidden = false;
  }
}

// ------------------------------------------------------------------ who and where

async function loadScene() {
  const [info, people, chats] = await Promise.all([control("GET", "/info"), control("GET", "/people"), control("GET", "/chats")]);
  Object.assign(state, { people, channels: info.channels, chats });
  state.person = people.find((each) => each.id === state.person?.id) || remembered(people, "person") || people[0] || null;
  state.channel = info.channels.find((each) => each.id === state.channel?.id) || remembered(info.channels, "channel") || info.channels[0] || null;
  showChannels(new URLSearchParams(location.search).get("shop") || info.shop);
  await openChat();
  showPeople();
}

function remembered(list, name) {
  return list.find((each) => String(each.id) === localStorage.getItem(`phone.${name}`));
}

function pick(name, value) {
  state[name] = value;
  localStorage.setItem(`phone.${name}`, value.id);
  state.pinned = true;
  setContext(null);
  return guarded(loadScene);
}

function showPeople() {
  $("people").replaceChildren(...state.people.map((person) => {
    const unread = state.chats
      .filter((chat) => chat.person_id === person.id && chat.id !== state.chat?.id)
      .reduce((sum, chat) => sum + chat.unread, 0);
    const name = `${person.first_name} ${person.last_name}`;
    return element("li", {}, element("button",
      { type: "button", class: "person", "aria-pressed": String(person.id === state.person?.id), onclick: () => pick("person", person) },
      avatar(element("span", { class: "avatar", "aria-hidden": "true" }), name, person.hue),
      element("span", {}, element("span", { class: "who" }, person.first_name, element("span", { class: "surname" }, ` ${person.last_name}`)), element("span", { class: "where" }, person.place)),
      element("span", { class: "hour" }, timeIn(person.time_zone),
        unread > 0 && element("span", {}, " ", element("span", { class: "badge", "aria-label": `${unread} new` }, String(unread))))));
  }));
  $("clock").textContent = state.person ? timeIn(state.person.time_zone) : "";
}

function showChannels(shop) {
  const names = { telegram: "Telegram", bot: "Bot" };
  const buttons = state.channels.map((channel) => element("button",
    { type: "button", "aria-pressed": String(channel.id === state.channel?.id), title: channel.name, onclick: () => pick("channel", channel) },
    names[channel.kind] || channel.kind));
  const link = /^https?:\/\//.test(shop || "") && element("a", { href: shop, target: "_blank", rel: "noopener" }, "Web chat ↗");
  $("channels").replaceChildren(...buttons, ...(link ? [link] : []));
  $("channels").hidden = !buttons.length && !link;
}

// ------------------------------------------------------------------ the chat

async function openChat() {
  if (!state.person || !state.channel) {
    state.chat = null;
    state.messages = [];
    showChat();
    return;
  }
  const opened = await control("POST", "/chats", { person_id: state.person.id, channel_id: state.channel.id });
  state.chat = opened;
  await loadChat();
}

async function loadChat() {
  const wanted = state.chat.id;
  const chat = await control("GET", `/chats/${wanted}`);
  if (state.chat?.id !== wanted) return;
  state.chat = chat;
  state.messages = chat.messages;
  showChat();
  const unread = chat.messages.some((message) => message.author === "business" && message.state !== "read");
  if (unread && document.visibilityState === "visible") await control("POST", `/chats/${wanted}/read`, {});
}

function showChat() {
  const ready = Boolean(state.chat);
  for (const id of ["text", "send", "attach"]) $(id).disabled = !ready;
  $("chat-name").textContent = state.channel?.name || "No channel yet";
  avatar($("chat-avatar"), state.channel?.name || "?", 218);
  const kind = state.channel?.kind === "telegram" ? "bot" : "assistant";
  $("chat-status").textContent = !ready ? "" : state.chat.blocked ? "blocked by you" : kind;
  $("block").hidden = state.channel?.kind !== "telegram";
  $("block").textContent = state.chat?.blocked ? "Unblock" : "Block";
  const list = $("messages");
  const rows = ready ? messageRows(state.messages, state.person.time_zone, state.selected, handlers) : [];
  if (state.typingUntil > Date.now()) rows.push(typingRow());
  if (!rows.length) rows.push(emptyRow(ready));
  const { scrollTop } = list;
  list.replaceChildren(...rows);
  list.scrollTop = scrollTop;
  stayAtEnd();
}

// Who reads the newest message keeps seeing it, whatever grows: pictures, the menu, the keyboard.
function stayAtEnd() {
  if (state.pinned && !state.selected) $("messages").scrollTop = $("messages").scrollHeight;
}

function emptyRow(ready) {
  const [title, words] = ready
    ? ["Say hello", `Write as ${state.person.first_name}. The message reaches the inbox in an instant.`]
    : ["No channel is connected yet", "Connect a Telegram bot or a bot channel in the inbox. It appears here by itself."];
  return element("li", { class: "empty" }, element("strong", {}, title), words);
}

const handlers = {
  select(message) {
    state.selected = state.selected === message.message_id ? null : message.message_id;
    showChat();
  },
  reply: (message) => setContext({ kind: "reply", message }),
  edit(message) {
    setContext({ kind: "edit", message });
    $("text").value = message.content.text;
    fit();
  },
  react: (message, emoji) => guarded(async () => {
    await control("POST", `/chats/${state.chat.id}/messages/${message.message_id}/reaction`, { emoji });
    state.selected = null;
    await loadChat();
  }),
};

function setContext(context) {
  state.context = context;
  state.selected = null;
  $("context").hidden = !context;
  if (!context) return;
  $("context-title").textContent = context.kind === "edit" ? "Edit your message" : "Reply";
  $("context-text").textContent = summary(context.message.content);
  $("text").focus();
  showChat();
}

// ------------------------------------------------------------------ writing

async function submit() {
  const text = $("text").value;
  if (!text.trim() || !state.chat) return;
  const { context } = state;
  $("text").value = "";
  fit();
  setContext(null);
  if (context?.kind === "edit") {
    await control("PATCH", `/chats/${state.chat.id}/messages/${context.message.message_id}`, { text });
    await loadChat();
  } else {
    await write({ type: "text", text, reply_to: context?.message.message_id });
  }
}

async function write(message) {
  $("menu").hidden = true;
  $("attach").setAttribute("aria-expanded", "false");
  await control("POST", `/chats/${state.chat.id}/messages`, message);
  state.selected = null;
  state.pinned = true;
  await loadChat();
}

async function upload(file) {
  const response = await fetch(`/control/files?name=${encodeURIComponent(file.name)}`, {
    method: "POST", body: file, headers: { "content-type": file.type || "application/octet-stream" },
  });
  const stored = await response.json();
  if (!response.ok) throw new Error(stored.error || "The file could not be sent.");
  return stored.id;
}

async function sendFiles(kind, files) {
  const ids = [];
  for (const file of files) ids.push(await upload(file));
  const text = $("text").value;
  $("text").value = "";
  fit();
  if (ids.length === 1) await write({ type: kind, file_id: ids[0], text });
  else if (ids.length) await write({ type: "album", files: ids.slice(0, 10).map((file_id) => ({ file_id })), text });
}

const PLACES = {
  "Europe/Madrid": [36.5271, -6.2886], "Asia/Tokyo": [35.3192, 139.5467], "Africa/Lagos": [6.4541, 3.3947],
  "Europe/Stockholm": [59.8586, 17.6389], "Asia/Kolkata": [18.5204, 73.8567], "America/Sao_Paulo": [-23.9608, -46.3336],
  "Pacific/Auckland": [-41.2866, 174.7756], "Asia/Amman": [31.9539, 35.9106],
};

const MENU = [
  ["🌄", "Picture", () => write({ type: "photo", text: $("text").value }).then(clearText)],
  ["🖼️", "Photos…", () => $("photo-file").click()],
  ["🎙️", "Voice note", () => write({ type: "voice" })],
  ["🎵", "Voice file…", () => $("voice-file").click()],
  ["📄", "File…", () => $("document-file").click()],
  ["📍", "Location", sendLocation],
  ["👤", "Contact", () => write({ type: "contact", name: "Ana Lindqvist", phone: "+1 555 010 0300" })],
  ["🎉", "Sticker", () => write({ type: "sticker", emoji: "🎉" })],
  ["🗂️", "Album", () => write({ type: "album", files: [{}, {}], text: $("text").value }).then(clearText)],
  ["📊", "Poll", () => write({ type: "poll", question: "Which day suits you?", options: ["Monday", "Tuesday"] })],
];

function sendLocation() {
  const [latitude, longitude] = PLACES[state.person.time_zone] || [51.4779, -0.0015];
  return write({ type: "location", latitude, longitude });
}

function clearText() {
  $("text").value = "";
  fit();
}

function fit() {
  const box = $("text");
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight + 2, 120)}px`;
}

// ------------------------------------------------------------------ weather

const SEND = [
  ["429", "⏳", "Too many requests", "Refused for 5 seconds", { seconds: 5 }],
  ["500", "💥", "Internal error", "Answers 500, takes nothing"],
  ["502", "🚧", "Bad gateway", "A proxy's web page instead of an answer"],
  ["timeout", "🕳️", "Never answers", "Delivered, but the inbox cannot know"],
  ["cut", "✂️", "Line cut after taking it", "Delivered, the answer is lost"],
  ["drop", "🔌", "Line cut before taking it", "Not delivered, no answer either"],
  ["blocked", "🚫", "Customer has blocked you", "Refused for good"],
];
const WEBHOOK = [
  ["duplicate", "👯", "Arrives 3 times at once", "The inbox must show it once", { copies: 3 }],
  ["reorder", "🔀", "Arrive in the wrong order", "Each waits for the one after it", { seconds: 4 }],
  ["delay", "🐌", "Arrives 10 seconds late", "Stuck at the provider", { seconds: 10 }],
];

function showModes(id, side, modes) {
  $(id).replaceChildren(...modes.map(([mode, sign, title, words, extra]) => element("button",
    { type: "button", onclick: () => guarded(() => setWeather(side, mode, extra)) },
    element("i", { "aria-hidden": "true" }, sign), element("strong", {}, title), element("span", {}, words))));
}

async function setWeather(side, mode, extra = {}) {
  let count = Number($("count").value);
  if (mode === "reorder") count = Math.max(2, count);
  showForecast(await control("POST", "/weather", { side, mode, count, ...extra }));
}

function showForecast(plans) {
  const titles = new Map([...SEND, ...WEBHOOK].map(([mode, , title]) => [mode, title]));
  const bad = plans.length > 0;
  $("forecast").className = bad ? "forecast bad" : "forecast";
  if (!bad) {
    $("forecast").replaceChildren(element("strong", {}, "☀️ Clear skies"), "Everything is delivered at once.");
    return;
  }
  const lines = plans.map((plan) => element("li", {}, `${titles.get(plan.mode) || plan.mode} × ${plan.remaining}`));
  $("forecast").replaceChildren(element("strong", {}, "⛈️ Trouble ahead"), element("ul", {}, ...lines),
    element("button", { type: "button", onclick: () => guarded(async () => showForecast(await control("DELETE", "/weather"))) }, "Clear the skies"));
}

// ------------------------------------------------------------------ live

function listen() {
  const source = new EventSource("/control/events");
  source.onmessage = (event) => guarded(() => heard(JSON.parse(event.data)));
  source.onopen = () => guarded(loadScene);
}

async function heard(event) {
  if (event.type === "weather") return showForecast(await control("GET", "/weather"));
  if (event.type === "typing" && event.chat_id === state.chat?.id) {
    state.typingUntil = Date.now() + 5000;
    showChat();
    setTimeout(showChat, 5100);
    return;
  }
  if (["channels", "people", "reload"].includes(event.type)) return loadScene();
  if (event.chat_id === state.chat?.id) {
    state.typingUntil = 0;
    return loadChat();
  }
  state.chats = await control("GET", "/chats");
  showPeople();
}

$("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  guarded(submit);
});
$("text").addEventListener("input", fit);
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    guarded(submit);
  }
});
$("context-cancel").addEventListener("click", () => setContext(null));
$("attach").addEventListener("click", () => {
  $("menu").hidden = !$("menu").hidden;
  $("attach").setAttribute("aria-expanded", String(!$("menu").hidden));
  if (!$("menu").hidden) $("menu").querySelector("button").focus();
});
$("menu").addEventListener("keydown", (event) => {
  if (event.key === "Escape") $("attach").click();
});
$("menu").replaceChildren(...MENU.map(([sign, name, run]) => element("button",
  { type: "button", role: "menuitem", onclick: () => guarded(async () => { await run(); }) }, element("i", { "aria-hidden": "true" }, sign), name)));
for (const [id, kind] of [["photo-file", "photo"], ["voice-file", "voice"], ["document-file", "document"]]) {
  $(id).addEventListener("change", () => guarded(async () => {
    await sendFiles(kind, [...$(id).files]);
    $(id).value = "";
  }));
}
$("block").addEventListener("click", () => guarded(async () => {
  await control("POST", `/chats/${state.chat.id}/block`, { blocked: !state.chat.blocked });
  await loadChat();
}));
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && state.chat) guarded(loadChat);
});
$("messages").addEventListener("scroll", () => {
  const list = $("messages");
  state.pinned = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
});
$("messages").addEventListener("load", stayAtEnd, true);
new ResizeObserver(stayAtEnd).observe($("messages"));
setInterval(showPeople, 20_000);
showModes("send-modes", "send", SEND);
showModes("webhook-modes", "webhook", WEBHOOK);
guarded(async () => showForecast(await control("GET", "/weather")));
listen();
