import { rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const out = path("../inbox/static");

const BASE =
  /node_modules\/(svelte|clsx|esm-env)\/|src\/lib\/(api|commands|i18n\/[a-z]+\.ts|live|prefs|router|store|time)|src\/lib\/ui\/(Avatar|Empty|Icon|icons|Lazy|Popover|Toasts|announce|colors|delivery|LinkState)|src\/features\/triage\/(actions|index)/;

/** Empties only what this build writes: the widget's build shares the folder. */
function cleanOwnOutput(): Plugin {
  return {
    name: "clean-own-output",
    apply: "build",
    async buildStart() {
      const names = ["assets", "index.html", "index.html.br", "index.html.gz", "csp.json"];
      await Promise.all(names.map((name) => rm(`${out}/${name}`, { recursive: true, force: true })));
    },
  };
}

/** `vite --mode fake`: the app with an imitated server, for work on screens without the product. */
function fakeServer(): Plugin {
  return {
    name: "fake-server",
    async configureServer(vite) {
      const { FakeServer } = (await vite.ssrLoadModule("/test/fake/server.ts")) as typeof import("./test/fake/server");
      const fake = new FakeServer();
      vite.middlewares.use((request, response, next) => void fake.handle(request, response, next));
      vite.httpServer?.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => fake.upgrade(request, socket, head));
    },
  };
}

export default defineConfig(({ mode }) => ({
  base: "/",
  plugins: [svelte(), cleanOwnOutput(), ...(mode === "fake" ? [fakeServer()] : [])],
  resolve: {
    alias: { $lib: path("src/lib"), $features: path("src/features") },
    ...(process.env["VITEST"] ? { conditions: ["browser"] } : {}),
  },
  build: {
    outDir: out,
    emptyOutDir: false,
    copyPublicDir: true,
    target: "es2022",
    manifest: "assets/manifest.json",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        // One file for what the first screen and every room share: a dozen small ones cost more than they save.
        codeSplitting: { groups: [{ name: "base", test: BASE }] },
      },
    },
  },
  server: {
    port: 5173,
    host: "127.0.0.1",
    ...(mode === "fake"
      ? {}
      : {
          proxy: {
            "/api": process.env["INBOX_URL"] ?? "http://127.0.0.1:8000",
            "/realtime": { target: process.env["INBOX_URL"] ?? "http://127.0.0.1:8000", ws: true },
          },
        }),
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "widget/**/*.test.ts"],
    restoreMocks: true,
  },
}));
