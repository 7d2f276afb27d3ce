import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

const BASE =
  /node_modules\/(svelte|clsx|esm-env)\/|src\/lib\/(api|commands|i18n\/[a-z]+\.ts|live|prefs|router|store|time)|src\/lib\/ui\/(Avatar|Empty|Icon|icons|Lazy|Popover|Toasts|announce|colors|delivery|LinkState)|src\/features\/triage\/(actions|index)/;

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
  plugins: [svelte(), ...(mode === "fake" ? [fakeServer()] : [])],
  resolve: {
    alias: { $lib: path("src/lib"), $features: path("src/features") },
    ...(process.env["VITEST"] ? { conditions: ["browser"] } : {}),
  },
  build: {
    // Made aside and published whole (scripts/publish.mjs), so that a running server never sees half a build.
    outDir: path("node_modules/.cache/app"),
    emptyOutDir: true,
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
