/** Text with marks into a tree that components can draw without ever touching HTML. */

import type { Mark } from "../contract";

export interface Node {
  kind: string; // "text", or the kind of a mark
  text: string; // of a text node, otherwise ""
  href?: string;
  children: Node[];
}

/** More marks than a person writes: beyond these the text is shown plain. */
const MARK_LIMIT = 1000;
const SAFE = /^(https?:|mailto:|tel:)/i;
// Chinese full stops and commas end an address: no space follows them.
const ADDRESS = /https?:\/\/[^\s<>"'`。，、！？；：」』》）]+/gi;
const OPAQUE = new Set(["code", "pre", "link"]);

export function safeHref(href: string | undefined): string | undefined {
  return href && SAFE.test(href) ? href : undefined;
}

function textNode(text: string): Node {
  return { kind: "text", text, children: [] };
}

const TRAILING = ".,;:!?…*_~";
const PAIRS: Record<string, string> = { ")": "(", "]": "[" };

/** Without the punctuation of the sentence around it: a closing bracket stays if it was opened inside. */
function trimmed(address: string): string {
  const surplus: Record<string, number> = {};
  for (const [close, open] of Object.entries(PAIRS)) {
    surplus[close] = address.split(close).length - address.split(open).length;
  }
  let end = address.length;
  for (; end > 0; end--) {
    const last = address[end - 1]!;
    if (TRAILING.includes(last)) continue;
    if ((surplus[last] ?? 0) <= 0) break;
    surplus[last]! -= 1;
  }
  return address.slice(0, end);
}

/** Plain text with its http and https addresses as links. */
export function autolink(text: string): Node[] {
  const nodes: Node[] = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = trimmed(match[0]);
    if (!/^https?:\/\/[^/?#]/i.test(address)) continue;
    if (match.index > from) nodes.push(textNode(text.slice(from, match.index)));
    nodes.push({ kind: "link", text: "", href: address, children: [textNode(address)] });
    from = match.index + address.length;
  }
  if (from < text.length) nodes.push(textNode(text.slice(from)));
  return nodes;
}

interface Span extends Mark {
  end: number;
}

function spansOf(text: string, marks: readonly Mark[]): Span[] {
  return marks
    .slice(0, MARK_LIMIT)
    .map((mark) => ({
      ...mark,
      offset: Math.max(0, mark.offset),
      end: Math.min(text.length, mark.offset + mark.length),
    }))
    .filter((span) => span.offset < span.end)
    .sort((a, b) => a.offset - b.offset || b.end - a.end);
}

function build(text: string, from: number, to: number, spans: Span[], opaque: boolean): Node[] {
  const plain = (start: number, end: number): Node[] =>
    opaque ? [textNode(text.slice(start, end))] : autolink(text.slice(start, end));
  const nodes: Node[] = [];
  let at = from;
  let rest = spans;
  while (rest.length > 0) {
    const span = rest[0]!;
    if (at < span.offset) nodes.push(...plain(at, span.offset));
    // What begins inside this span and ends after it is cut in two, so that the tree stays a tree.
    const inside: Span[] = [];
    const after: Span[] = [];
    for (const other of rest.slice(1)) {
      if (other.offset >= span.end) after.push(other);
      else {
        inside.push({ ...other, end: Math.min(other.end, span.end) });
        if (other.end > span.end) after.push({ ...other, offset: span.end });
      }
    }
    const href = span.kind === "link" ? safeHref(span.href ?? text.slice(span.offset, span.end)) : undefined;
    nodes.push({
      kind: span.kind === "link" && !href ? "plain" : span.kind,
      text: "",
      ...(href ? { href } : {}),
      children: build(text, span.offset, span.end, inside, opaque || OPAQUE.has(span.kind)),
    });
    at = span.end;
    rest = after.sort((a, b) => a.offset - b.offset || b.end - a.end);
  }
  if (at < to) nodes.push(...plain(at, to));
  return nodes;
}

export function richText(text: string, marks: readonly Mark[] = []): Node[] {
  return build(text, 0, text.length, spansOf(text, marks), false);
}
