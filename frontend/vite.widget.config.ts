// The customers' chat widget: the frame (an app of its own), and with --mode loader the one script of their page.
import { fileURLToPath } from "node:url";

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const shared = { outDir: path("../inbox/static/widget"), target: "es2022", reportCompressedSize: false };

export default defineConfig(({ mode }) =>
  mode === "loader"
    ? {
        build: {
          ...shared,
          emptyOutDir: false,
          lib: { entry: path("widget/loader.ts"), formats: ["iife"], name: "loader", fileName: () => "loader.js" },
        },
      }
    : {
        root: path("widget/frame"),
        base: "/widget/",
        plugins: [svelte({ configFile: path("widget/svelte.config.js"), compilerOptions: { cssHash: ({ hash, css }) => `w${hash(css).slice(0, 3)}` } })],
        build: {
          ...shared,
          emptyOutDir: true,
          manifest: "assets/manifest.json",
          assetsInlineLimit: 0,
          modulePreload: { polyfill: false },
          // What only the conversation uses of the runtime must not be in the first load; left alone, the bundler
          // keeps everything that Svelte's index names, for the side effects it might have.
          rolldownOptions: { treeshake: { moduleSideEffects: (id) => !id.includes("/svelte/src/internal/") } },
        },
      },
);
