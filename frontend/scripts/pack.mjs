// After the Vite build: puts the first stylesheet into index.html, starts the words' download from it, writes the
// hashes a Content-Security-Policy needs (csp.json), and compresses every file once, as hard as it goes.
import { createHash } from "node:crypto";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const out = new URL("../node_modules/.cache/app/", import.meta.url);
const brotli = promisify(brotliCompress);
const gz = promisify(gzip);

async function inlineStyles(html) {
  const link = /<link rel="stylesheet"[^>]*href="\/(assets\/[^"]+\.css)"[^>]*>/g;
  for (const [tag, file] of [...html.matchAll(link)]) {
    const css = (await readFile(new URL(file, out), "utf8")).trim();
    html = html.replace(tag, () => `<style data-from="/${file}">${css}</style>`);
  }
  return html;
}

function preloadWords(html, manifest) {
  const words = Object.entries(manifest).find(([key]) => key.endsWith("locales/en/core.json"));
  if (!words) throw new Error("no catalogue of words in the build");
  return html.replace("</head>", `<link rel="modulepreload" href="/${words[1].file}"></head>`);
}

function hashes(html, pattern) {
  const bodies = [...html.matchAll(pattern)].map((match) => match[1]).filter((body) => body !== "");
  return bodies.map((body) => `'sha256-${createHash("sha256").update(body).digest("base64")}'`);
}

async function compress(file) {
  const bytes = await readFile(file);
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } };
  await writeFile(new URL(file.href + ".br"), await brotli(bytes, quality));
  await writeFile(new URL(file.href + ".gz"), await gz(bytes, { level: 9 }));
}

const manifest = JSON.parse(await readFile(new URL("assets/manifest.json", out), "utf8"));
const page = new URL("index.html", out);
const html = preloadWords(await inlineStyles(await readFile(page, "utf8")), manifest);
await writeFile(page, html);
const csp = {
  "script-src": hashes(html, /<script>([\s\S]*?)<\/script>/g),
  "style-src": hashes(html, /<style[^>]*>([\s\S]*?)<\/style>/g),
};
await writeFile(new URL("csp.json", out), JSON.stringify(csp, null, 2) + "\n");
const assets = (await readdir(new URL("assets/", out))).filter((name) => /\.(js|css|svg|json)$/.test(name));
await Promise.all([page, ...assets.map((name) => new URL(`assets/${name}`, out))].map(compress));
