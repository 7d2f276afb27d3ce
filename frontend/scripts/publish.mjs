// Puts a finished build where the server reads it: new files first, then the page that names them, then the old ones
// go. The widget's build shares the folder and is left alone.
import { copyFile, mkdir, readdir, rename, rm } from "node:fs/promises";

const from = new URL("../node_modules/.cache/app/", import.meta.url);
const to = new URL("../../inbox/static/", import.meta.url);

/** A file appears whole or not at all. */
async function place(name) {
  const part = new URL(`${name}.part`, to);
  await copyFile(new URL(name, from), part);
  await rename(part, new URL(name, to));
}

await mkdir(new URL("assets/", to), { recursive: true });
const fresh = await readdir(new URL("assets/", from));
for (const name of fresh) await place(`assets/${name}`);
for (const name of ["csp.json", "index.html.br", "index.html.gz", "index.html"]) await place(name);
const known = new Set(fresh);
for (const name of await readdir(new URL("assets/", to))) {
  if (!known.has(name)) await rm(new URL(`assets/${name}`, to), { force: true });
}
