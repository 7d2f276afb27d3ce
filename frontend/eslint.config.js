import js from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";

import svelteConfig from "./svelte.config.js";

const intl = {
  selector: "NewExpression[callee.object.name='Intl']",
  message: "Constructing an Intl object costs more than rendering a row: use the cache in lib/i18n/format.ts.",
};
const rawHtml = {
  selector: "MemberExpression[property.name=/^(innerHTML|outerHTML)$/]",
  message: "Text is rendered as nodes, never as HTML.",
};

export default ts.config(
  { ignores: ["node_modules/", "widget/", "vite.widget.config.ts", "src/lib/api/schema.d.ts", "src/lib/api/events.d.ts"] },
  js.configs.recommended,
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser } },
    rules: {
      eqeqeq: "error",
      "no-restricted-syntax": ["error", intl, rawHtml],
      "svelte/no-at-html-tags": "error",
      // Links go through our own router, which the rule does not know.
      "svelte/no-navigation-without-resolve": "off",
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: [".svelte"], svelteConfig } },
  },
  {
    files: ["src/lib/**"],
    rules: {
      "no-restricted-imports": ["error", { patterns: [{ group: ["$features/*", "**/features/*"], message: "lib knows no feature." }] }],
    },
  },
  {
    files: ["src/features/**"],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: [{ group: ["$features/*/*", "../*"], message: "Another room is entered by its index.ts." }] },
      ],
    },
  },
  // A test may use the factories of test/.
  { files: ["src/**/*.test.ts"], rules: { "no-restricted-imports": "off" } },
  // The store is not a view: its maps are plain on purpose, its boxes are the reactive part.
  { files: ["src/lib/store/**"], rules: { "svelte/prefer-svelte-reactivity": "off" } },
  { files: ["src/lib/i18n/format.ts"], rules: { "no-restricted-syntax": ["error", rawHtml] } },
  { files: ["scripts/**", "test/**", "*.config.*"], languageOptions: { globals: { ...globals.node } } },
);
