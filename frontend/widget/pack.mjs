// After both builds: adds the demo shop, writes csp.json, compresses every file, and fails above the size budgets.
import { createHash } from "node:crypto";
import { cp, readFile, readdir, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const LOADER_BYTES = 2048;
const FRAME_BYTES = 25 * 1024;

const out = new URL("../../inbox/static/widget/", import.meta.url);
const brotli = promisify(brotliCompress);
const gz = promisify(gzip);

function hashes(html, pattern) {
  const bodies = [...html.matchAll(pattern)].map((match) => match[1]).filter((body) => body.trim() !== "");
  return bodies.map((body) => `'sha256-${createHash("sha256").update(body).digest("base64")}'`);
}

async function compress(name) {
  const file = new URL(name, out);
  const bytes = await readFile(file);
  const small = await gz(bytes, { level: 9 });
  await writeFile(new URL(`${file.href}.br`), await brotli(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
  await writeFile(new URL(`${file.href}.gz`), small);
  return small.length;
}

function closure(manifest, key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const next of manifest[key].imports ?? []) closure(manifest, next, seen);
  return seen;
}

await cp(new URL("shop/", import.meta.url), new URL("shop/", out), { recursive: true });
const html = await readFile(new URL("index.html", out), "utf8");
const csp = {
  "script-src": hashes(html, /<script>([\s\S]*?)<\/script>/g),
  "style-src": hashes(html, /<style[^>]*>([\s\S]*?)<\/style>/g),
};
await writeFile(new URL("csp.json", out), `${JSON.stringify(csp, null, 2)}\n`);

const names = await readdir(out, { recursive: true });
const sizes = new Map();
// The shop's page is a template that the server fills in, so it is not compressed ahead.
for (const name of names.filter((each) => /\.(js|css|svg|html)$/.test(each) && each !== "shop/index.html")) {
  sizes.set(name, await compress(name));
}
const manifest = JSON.parse(await readFile(new URL("assets/manifest.json", out), "utf8"));
const frame = [...closure(manifest, "index.html")].flatMap((key) => [manifest[key].file, ...(manifest[key].css ?? [])]);
const languages = Object.keys(manifest).filter((key) => key.startsWith("locales/"));
const largest = Math.max(0, ...languages.map((key) => sizes.get(manifest[key].file)));
const checks = [
  ["widget: loader, gz", sizes.get("loader.js"), LOADER_BYTES],
  ["widget: frame with styles and one language, gz", frame.reduce((sum, name) => sum + sizes.get(name), largest), FRAME_BYTES],
];
for (const [what, bytes, limit] of checks) {
  console.log(`${bytes > limit ? "OVER " : "     "} ${String(bytes).padStart(7)} of ${String(limit).padStart(7)}  ${what}`);
}
process.exit(checks.some(([, bytes, limit]) => bytes > limit) ? 1 : 0);
