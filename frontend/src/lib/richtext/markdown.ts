import type { Mark } from "$lib/api/types";

export interface RichText {
  text: string;
  marks: Mark[];
}

const INLINE: readonly (readonly [RegExp, string])[] = [
  [/^\*\*(?=\S)([\s\S]*?\S)\*\*/, "bold"],
  [/^~~(?=\S)([\s\S]*?\S)~~/, "strike"],
  [/^\*(?=[^\s*])([^*\n]*?[^\s*])\*/, "italic"],
  [/^_(?=[^\s_])([^_\n]*?[^\s_])_(?![\p{L}\p{N}])/u, "italic"],
];
const CODE = /^`([^`\n]+)`/;
const PRE = /^```([\w+-]*)\n?([\s\S]*?)\n?```/;
const LINK = /^\[([^\]\n]+)\]\(((?:https?:\/\/|mailto:|tel:)[^\s)]+)\)/;
const SPECIAL = /[\\*_~`[>]/;
const PARSED = 5_000;

interface Output {
  text: string;
  marks: Mark[];
}

/** Appends `inner`, itself markdown, under a mark. */
function wrap(output: Output, kind: string, inner: string, extra: Partial<Mark> = {}): void {
  const offset = output.text.length;
  parseInto(output, inner);
  output.marks.push({ kind, offset, length: output.text.length - offset, ...extra });
}

function literal(output: Output, kind: string, inner: string, extra: Partial<Mark> = {}): void {
  output.marks.push({ kind, offset: output.text.length, length: inner.length, ...extra });
  output.text += inner;
}

/** Takes one construct from the start of `rest`. Returns how much of it was used. */
function take(output: Output, rest: string, previous: string): number {
  if (rest[0] === "\\" && /^[\\*_~`[\]>]/.test(rest[1] ?? "")) {
    output.text += rest[1];
    return 2;
  }
  const pre = PRE.exec(rest);
  if (pre) {
    literal(output, "pre", pre[2]!, pre[1] ? { language: pre[1] } : {});
    return pre[0].length;
  }
  const code = CODE.exec(rest);
  if (code) {
    literal(output, "code", code[1]!);
    return code[0].length;
  }
  const link = LINK.exec(rest);
  if (link) {
    wrap(output, "link", link[1]!, { href: link[2]! });
    return link[0].length;
  }
  if (rest[0] === "_" && /[\p{L}\p{N}]/u.test(previous)) return 0;
  for (const [pattern, kind] of INLINE) {
    const match = pattern.exec(rest);
    if (match) {
      wrap(output, kind, match[1]!);
      return match[0].length;
    }
  }
  return 0;
}

function quoteEnd(text: string, at: number): number {
  let end = at;
  while (end < text.length && text[end] === ">") {
    const line = text.indexOf("\n", end);
    end = line < 0 ? text.length : line + 1;
  }
  return end;
}

function parseInto(output: Output, text: string): void {
  for (let at = 0; at < text.length; ) {
    const rest = text.slice(at);
    const isLineStart = at === 0 || text[at - 1] === "\n";
    if (isLineStart && rest[0] === ">") {
      const end = quoteEnd(text, at);
      const block = text.slice(at, end);
      const inner = block.replace(/\n$/, "").replace(/^> ?/gm, "");
      wrap(output, "quote", inner);
      if (block.endsWith("\n")) output.text += "\n";
      at = end;
      continue;
    }
    const used = SPECIAL.test(rest[0]!) ? take(output, rest, text[at - 1] ?? "") : 0;
    if (used > 0) {
      at += used;
      continue;
    }
    output.text += text[at++];
  }
}

/**
 * The subset of markdown that agents write: **bold**, *italic*, _italic_, ~~strike~~, `code`, ```blocks```,
 * [links](https://…), > quotes, and a backslash that takes a sign's meaning. For showing what will be sent; the server decides. Longer texts than 5,000
 * characters are shown as written.
 */
export function parseMarkdown(source: string): RichText {
  const output: Output = { text: "", marks: [] };
  if (source.length > PARSED || !SPECIAL.test(source)) return { text: source, marks: [] };
  parseInto(output, source);
  return output;
}
