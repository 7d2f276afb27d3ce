// Elements of the phone page. Text is only ever set as text, never as HTML.

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null && child !== false));
  return node;
}

export function avatar(node, name, hue) {
  node.textContent = name.split(" ").map((word) => word[0]).slice(0, 2).join("");
  node.style.setProperty("--hue", hue);
  return node;
}

export function timeIn(zone, at = new Date()) {
  try {
    return new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone }).format(at);
  } catch {
    return ""; // an invented zone has no time
  }
}

const STATES = {
  sending: ["◷", "On its way to the inbox"],
  taken: ["✓", "The inbox has it"],
  retrying: ["!", "The inbox did not take it yet"],
  lost: ["✕", "Given up after a day"],
};

export function messageRows(messages, zone, selected, on) {
  const byNumber = new Map(messages.map((message) => [message.message_id, message]));
  const rows = [];
  let day = "";
  messages.forEach((message, index) => {
    const at = new Date(message.at * 1000);
    const today = new Intl.DateTimeFormat([], { day: "numeric", month: "long", timeZone: zone }).format(at);
    if (today !== day) rows.push(element("li", { class: "day" }, today));
    day = today;
    const next = messages[index + 1];
    const tail = !next || next.author !== message.author;
    rows.push(bubble(message, byNumber, zone, tail, on));
    if (message.state === "retrying") {
      rows.push(element("li", { class: "problem-line" }, `${STATES.retrying[1]}: ${message.note}. Trying again.`));
    }
    if (selected === message.message_id) rows.push(actions(message, on));
  });
  return rows;
}

function bubble(message, byNumber, zone, tail, on) {
  const { content } = message;
  const mine = message.author === "customer";
  const kind = content.type;
  const classes = ["bubble", mine && "mine", tail && "tail", message.reaction && "reacted"];
  if (kind === "photo" || kind === "video") classes.push("wide");
  if (kind === "sticker") classes.push("bare");
  const row = element("li", { class: classes.filter(Boolean).join(" "), onclick: () => on.select(message) });
  const replied = byNumber.get(content.reply_to);
  if (replied) row.append(element("div", { class: "quote" }, summary(replied.content)));
  row.append(...body(content));
  row.append(foot(message, mine, zone));
  if (message.reaction) row.append(element("span", { class: "reaction" }, message.reaction));
  return row;
}

function foot(message, mine, zone) {
  const line = element("span", { class: "foot" });
  if (message.edited_at) line.append("edited");
  line.append(timeIn(zone, new Date(message.at * 1000)));
  if (mine && STATES[message.state]) {
    const [sign, words] = STATES[message.state];
    const problem = message.state === "retrying" || message.state === "lost";
    line.append(element("span", { title: words, "aria-label": words, role: "img", class: problem && "problem" }, sign));
  }
  return line;
}

export function summary(content) {
  const names = { photo: "Photo", voice: "Voice note", document: "File", location: "Location", contact: "Contact" };
  return content.text || content.question || content.emoji || names[content.type] || content.type;
}

function body(content) {
  const link = content.url || `/control/files/${content.file_id}`;
  const text = content.text ? [formatted(content.text, content.entities || [])] : [];
  switch (content.type) {
    case "photo":
      return [element("img", { src: link, alt: content.name || "Photo", loading: "lazy" }), ...text];
    case "video":
      return [element("video", { src: link, controls: true, preload: "metadata" }), ...text];
    case "voice":
    case "audio":
      return [element("audio", { src: link, controls: true, preload: "metadata" }), ...text];
    case "document":
      return [card(content.name || "File", size(content.size), link), ...text];
    case "location":
      return [card("📍 Location", `${content.latitude.toFixed(4)}, ${content.longitude.toFixed(4)}`)];
    case "contact":
      return [card(`👤 ${content.contact_name}`, content.phone)];
    case "sticker":
      return [element("span", { class: "big" }, content.emoji || "👋")];
    case "poll":
      return [poll(content)];
    default:
      return text;
  }
}

function card(title, detail, link) {
  const name = link ? element("a", { href: link, target: "_blank", rel: "noopener" }, title) : title;
  return element("div", { class: "card" }, element("strong", {}, name), element("span", {}, detail || ""));
}

function poll(content) {
  const options = (content.options || ["Yes", "No"]).map((option) => element("li", {}, option));
  return element("div", { class: "card" }, element("strong", {}, content.question), element("ul", {}, ...options));
}

function size(bytes) {
  if (!bytes) return "";
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1000))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

const TAGS = {
  bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre", blockquote: "blockquote",
};

// Entities lie beside the text, in UTF-16 units like the strings here; they may be nested, never crossed.
function formatted(text, entities) {
  const build = (start, end, rest) => {
    const nodes = [];
    let at = start;
    while (rest.length && rest[0].offset < end) {
      const [first, ...others] = rest;
      const close = first.offset + first.length;
      const inner = others.filter((each) => each.offset < close);
      rest = others.filter((each) => each.offset >= close);
      if (first.offset < at) continue;
      nodes.push(text.slice(at, first.offset), wrap(first, build(first.offset, close, inner), text));
      at = close;
    }
    nodes.push(text.slice(at, end));
    return nodes;
  };
  return element("span", { dir: "auto" }, ...build(0, text.length, [...entities]));
}

function wrap(entity, nodes, text) {
  if (entity.type === "text_link" || entity.type === "url") {
    const href = entity.url || text.slice(entity.offset, entity.offset + entity.length);
    if (/^(https?:|mailto:|tel:)/i.test(href)) {
      return element("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...nodes);
    }
  }
  return element(TAGS[entity.type] || "span", {}, ...nodes);
}

function actions(message, on) {
  const mine = message.author === "customer";
  const row = element("li", { class: mine ? "actions mine" : "actions" });
  if (!mine) {
    for (const emoji of ["👍", "❤️", "🙏", "😂"]) {
      const taken = message.reaction === emoji;
      const label = taken ? `Take ${emoji} away` : `React with ${emoji}`;
      row.append(element("button", { type: "button", "aria-label": label, onclick: () => on.react(message, taken ? null : emoji) }, emoji));
    }
  }
  row.append(element("button", { type: "button", onclick: () => on.reply(message) }, "Reply"));
  if (mine && message.content.type === "text") {
    row.append(element("button", { type: "button", onclick: () => on.edit(message) }, "Edit"));
  }
  return row;
}

export function typingRow() {
  return element("li", { class: "bubble" }, element("span", { class: "typing", "aria-label": "Writing" },
    element("i"), element("i"), element("i")));
}
