// Fails the build when it is larger than budgets.json allows. Sizes in bytes.
import { readFile, readdir } from "node:fs/promises";

const out = new URL("../node_modules/.cache/app/", import.meta.url);
const budgets = JSON.parse(await readFile(new URL("../budgets.json", import.meta.url), "utf8"));
const manifest = JSON.parse(await readFile(new URL("assets/manifest.json", out), "utf8"));

async function size(file, encoding = "gz") {
  return (await readFile(new URL(`${file}.${encoding}`, out))).length;
}

/** Files that a chunk needs before it runs: itself and its static imports. */
function closure(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const next of manifest[key].imports ?? []) closure(next, seen);
  return seen;
}

async function sum(keys) {
  let total = 0;
  for (const key of keys) total += await size(manifest[key].file);
  return total;
}

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
const first = closure(entry);
const catalogue = /locales\/en\/core\.json$/;
const words = Object.keys(manifest).filter((key) => catalogue.test(key));

const checks = [
  ["initial JS, gz", await sum([...first]), budgets.initial_js_gz],
  ["HTML with inline CSS, brotli", await size("index.html", "br"), budgets.html_br],
  ["one locale, core, gz", await sum(words), budgets.locale_gz],
];
for (const key of Object.keys(manifest)) {
  if (!manifest[key].isDynamicEntry || first.has(key)) continue;
  const own = [...closure(key)].filter((name) => !first.has(name));
  checks.push([`lazy: ${manifest[key].name ?? key}, gz`, await sum(own), budgets.room_gz]);
}
const files = (await readdir(new URL("assets/", out))).filter((name) => name.endsWith(".gz"));
let total = 0;
for (const name of files) total += await size(`assets/${name.slice(0, -3)}`);
checks.push(["everything, gz", total, budgets.total_gz]);

let failed = false;
for (const [what, bytes, limit] of checks) {
  const over = bytes > limit;
  failed ||= over;
  console.log(`${over ? "OVER " : "     "} ${String(bytes).padStart(7)} of ${String(limit).padStart(7)}  ${what}`);
}
if (checks[0][1] > budgets.initial_js_gz_warn) console.log("warning: initial JS is above the warning line");
process.exit(failed ? 1 : 0);
