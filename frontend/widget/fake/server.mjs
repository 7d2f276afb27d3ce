// The widget's half of the contract, in memory, for looking at the frame without the product:
//   node widget/fake/server.mjs [port]      then open /widget/shop/
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, normalize } from "node:path";

import { WebSocketServer } from "ws";

const STATIC = new URL("../../../inbox/static", import.meta.url);
const TYPES = { ".js": "text/javascript", ".css": "text/css", ".html": "text/html; charset=utf-8", ".svg": "image/svg+xml" };
const PAGE_CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'";
const FRAME_CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";
const CHANNEL = "11111111-1111-4111-8111-111111111111";

export function fakeServer(config = {}) {
  const state = {
    config: {
      name: "Shop chat",
      workspace: "Solstice Outfitters",
      color: "#7a12d4",
      greeting: "Hello! Ask us anything about gear, repairs or your order.",
      locales: ["en", "es", "zh", "ru"],
      online: true,
      agents: [{ name: "Olga Petrova" }, { name: "Diego Ruiz" }],
      upload_limit: 26214400,
      text_limit: 10000,
      ...config,
    },
    messages: [],
    files: new Map(),
    receipts: [],
    sockets: new Set(),
    down: false, // answer 503 to everything of the API and cut the sockets
  };
  let count = 0;

  function push(frame) {
    for (const socket of state.sockets) socket.send(JSON.stringify([frame]));
  }

  function add(message) {
    count += 1;
    const known = message.client_message_id && state.messages.find((each) => each.client_message_id === message.client_message_id);
    if (known) return known;
    const made = { id: randomUUID(), at: new Date().toISOString(), sort: String(count).padStart(8, "0"), version: 1, text: "", ...message };
    state.messages.push(made);
    push({ type: "message.created", cursor: `1:${count}`, data: { message: made } });
    return made;
  }

  const routes = {
    "GET /config": () => state.config,
    "POST /session": () => ({ token: "token-of-ada", visitor_id: "v1", expires_at: "2100-01-01T00:00:00Z" }),
    "GET /messages": (url) => {
      const after = url.searchParams.get("after");
      const before = url.searchParams.get("before");
      const fitting = state.messages.filter((each) => (!after || each.sort > after) && (!before || each.sort < before));
      const items = after ? fitting.slice(0, 50) : fitting.slice(-50);
      return { items, resolved: false, has_more: fitting.length > items.length };
    },
    "POST /messages": (url, body) => {
      const { client_message_id, text, attachments } = JSON.parse(body);
      const files = attachments.map((each) => ({ ...each, id: each.upload_id, state: "ready", kind: each.content_type.startsWith("image/") ? "image" : "document" }));
      add({ from: "visitor", text, client_message_id, attachments: files });
      return { client_message_id };
    },
    "POST /receipts": (url, body) => {
      state.receipts.push(JSON.parse(body));
      return {};
    },
    "POST /uploads": (url, body, headers) => {
      const boundary = /boundary=(.*)$/.exec(headers["content-type"])[1];
      const head = body.subarray(0, body.indexOf("\r\n\r\n")).toString();
      const bytes = body.subarray(head.length + 4, body.lastIndexOf(`\r\n--${boundary}`));
      const upload = {
        upload_id: randomUUID(),
        name: /filename="([^"]*)"/.exec(head)[1],
        content_type: /Content-Type: (.*)/i.exec(head)[1].trim(),
        size: bytes.length,
      };
      state.files.set(upload.upload_id, { bytes, type: upload.content_type });
      return upload;
    },
  };

  async function serveStatic(url, response) {
    const folder = url.pathname.endsWith("/") ? `${url.pathname}index.html` : url.pathname;
    let bytes = await readFile(new URL(`.${normalize(folder)}`, `${STATIC.href}/`));
    const shop = folder.startsWith("/widget/shop/");
    if (shop && folder.endsWith(".html")) {
      bytes = bytes.toString().replaceAll("{{channel}}", CHANNEL);
    }
    response.setHeader("Content-Type", TYPES[extname(folder)] ?? "application/octet-stream");
    response.setHeader("Content-Security-Policy", shop ? PAGE_CSP : FRAME_CSP);
    response.end(bytes);
  }

  async function serveApi(url, request, response) {
    const path = url.pathname.slice(`/widget/api/${CHANNEL}`.length);
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    if (state.down) return response.writeHead(503, { "Retry-After": "1" }).end("{}");
    if (path.startsWith("/files/")) {
      const file = state.files.get(path.slice(7));
      return response.writeHead(200, { "Content-Type": file.type }).end(file.bytes);
    }
    const answer = routes[`${request.method} ${path}`](url, Buffer.concat(chunks), request.headers);
    response.writeHead(request.method === "POST" ? 202 : 200, { "Content-Type": "application/json" }).end(JSON.stringify(answer));
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url, `http://${request.headers.host}`);
    const serve = url.pathname.startsWith("/widget/api/") ? serveApi(url, request, response) : serveStatic(url, response);
    serve.catch((error) => response.writeHead(404).end(String(error)));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => {
    if (state.down) return socket.terminate();
    socket.on("message", (data) => {
      const frame = JSON.parse(data);
      if (frame.type === "resume") {
        state.sockets.add(socket);
        socket.send(JSON.stringify([{ type: "welcome", cursor: `1:${count}`, resumed: false }]));
      } else if (frame.type === "ping") socket.send('[{"type":"pong"}]');
    });
    socket.on("close", () => state.sockets.delete(socket));
  });

  function setDown(down) {
    state.down = down;
    if (down) for (const socket of state.sockets) socket.terminate();
  }

  return { server, state, add, push, setDown, channel: CHANNEL };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const port = Number(process.argv[2] ?? 5180);
  fakeServer().server.listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port}/widget/shop/`));
}
