import type { Mark } from "$lib/api/types";

export type Node = { text: string } | { mark: Mark; children: Node[] };

interface Piece {
  text: string;
  marks: Mark[];
}

/** Outermost first: blocks around links around styles. */
const ORDER = ["quote", "pre", "link", "mention", "spoiler", "bold", "italic", "underline", "strike", "code"];
const URL_IN_TEXT = /\bhttps?:\/\/[^\s<>"]+/g;
const TRAILING = /[.,;:!?'*_~]+$/;
const SAFE = /^(https?:|mailto:|tel:)/i;

/** The address a link may lead to, or null for one that a page must not follow (javascript:, data:, …). */
export function safeHref(href: string | null | undefined): string | null {
  return href && SAFE.test(href.trim()) ? href.trim() : null;
}

/** Text cut at every border of a mark. Offsets are UTF-16 units, as strings here are; marks may overlap. */
function pieces(text: string, marks: readonly Mark[]): Piece[] {
  const valid = marks.filter((mark) => mark.length > 0 && mark.offset >= 0 && mark.offset < text.length);
  const cuts = new Set([0, text.length]);
  for (const mark of valid) cuts.add(mark.offset).add(Math.min(text.length, mark.offset + mark.length));
  const borders = [...cuts].sort((a, b) => a - b);
  return borders.slice(0, -1).map((from, index) => {
    const active = valid.filter((mark) => mark.offset <= from && from < mark.offset + mark.length);
    active.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
    return { text: text.slice(from, borders[index + 1]), marks: active };
  });
}

function linkify(text: string): Node[] {
  const nodes: Node[] = [];
  let at = 0;
  for (const match of text.matchAll(URL_IN_TEXT)) {
    let href = match[0].replace(TRAILING, "");
    if (href.endsWith(")") && !href.includes("(")) href = href.slice(0, -1);
    if (match.index > at) nodes.push({ text: text.slice(at, match.index) });
    nodes.push({ mark: { kind: "link", offset: match.index, length: href.length, href }, children: [{ text: href }] });
    at = match.index + href.length;
  }
  if (at < text.length) nodes.push({ text: text.slice(at) });
  return nodes;
}

const keepsText = (mark: Mark) => mark.kind === "link" || mark.kind === "code" || mark.kind === "pre";

function nest(items: Piece[], depth: number): Node[] {
  const nodes: Node[] = [];
  for (let at = 0; at < items.length; ) {
    const mark = items[at]!.marks[depth];
    if (!mark) {
      const { text, marks } = items[at++]!;
      nodes.push(...(marks.some(keepsText) ? [{ text }] : linkify(text)));
      continue;
    }
    let end = at;
    while (items[end]?.marks[depth] === mark) end++;
    nodes.push({ mark, children: nest(items.slice(at, end), depth + 1) });
    at = end;
  }
  return nodes;
}

/** Text with marks as a tree to render. Never HTML: what a customer wrote cannot become markup. */
export function toNodes(text: string, marks: readonly Mark[] = []): Node[] {
  return text === "" ? [] : nest(pieces(text, marks), 0);
}
