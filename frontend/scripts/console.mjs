// Puts the API console, with its own copy of Swagger UI, into inbox/static/docs: it needs nothing from elsewhere.
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { brotliCompress, gzip } from "node:zlib";

const from = new URL("../node_modules/swagger-ui-dist/", import.meta.url);
const own = new URL("../console/", import.meta.url);
const out = new URL("../../inbox/static/docs/", import.meta.url);
const brotli = promisify(brotliCompress);
const gz = promisify(gzip);

await mkdir(out, { recursive: true });
for (const [folder, name] of [
  [own, "index.html"],
  [own, "console.js"],
  [from, "swagger-ui.css"],
  [from, "swagger-ui-bundle.js"],
]) {
  const file = new URL(name, out);
  await copyFile(new URL(name, folder), file);
  const bytes = await readFile(file);
  await writeFile(new URL(`${file.href}.br`), await brotli(bytes));
  await writeFile(new URL(`${file.href}.gz`), await gz(bytes, { level: 9 }));
}
