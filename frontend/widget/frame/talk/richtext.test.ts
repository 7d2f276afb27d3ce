import { describe, expect, it } from "vitest";

import { autolink, richText, safeHref, type Node } from "./richtext";

function flat(nodes: Node[]): string {
  return nodes
    .map((node) => (node.kind === "text" ? node.text : `<${node.kind}${node.href ? ` ${node.href}` : ""}>${flat(node.children)}</>`))
    .join("");
}

function plain(nodes: Node[]): string {
  return nodes.map((node) => (node.kind === "text" ? node.text : plain(node.children))).join("");
}

describe("links in plain text", () => {
  it.each([
    ["see https://example.com.", "see <link https://example.com>https://example.com</>."],
    ["(https://example.com/a_(b))", "(<link https://example.com/a_(b)>https://example.com/a_(b)</>)"],
    ["https://example.com/?q=1&b=2!", "<link https://example.com/?q=1&b=2>https://example.com/?q=1&b=2</>!"],
    ["javascript:alert(1) data:text/html,x ftp://example.com", "javascript:alert(1) data:text/html,x ftp://example.com"],
    ["https://", "https://"],
    ["看 https://example.com/路径。好", "看 <link https://example.com/路径>https://example.com/路径</>。好"],
  ])("%s", (text, expected) => expect(flat(autolink(text))).toBe(expected));

  it("lose nothing of the text", () => {
    const text = "a https://x.y/z, b (http://q.r) https://s.t...";
    expect(plain(autolink(text))).toBe(text);
  });
});

describe("marks", () => {
  it("nest", () => {
    const nodes = richText("one two three", [
      { kind: "bold", offset: 0, length: 7 },
      { kind: "italic", offset: 4, length: 3 },
    ]);
    expect(flat(nodes)).toBe("<bold>one <italic>two</></> three");
  });

  it("that overlap are cut so that both are shown", () => {
    const nodes = richText("abcdef", [
      { kind: "bold", offset: 0, length: 4 },
      { kind: "italic", offset: 2, length: 4 },
    ]);
    expect(flat(nodes)).toBe("<bold>ab<italic>cd</></><italic>ef</>");
  });

  it("count UTF-16 units, so an emoji before them does not shift them", () => {
    expect(flat(richText("👩‍👧 hi", [{ kind: "bold", offset: 6, length: 2 }]))).toBe("👩‍👧 <bold>hi</>");
  });

  it("outside of the text are ignored", () => {
    expect(flat(richText("ab", [{ kind: "bold", offset: 5, length: 3 }, { kind: "bold", offset: -4, length: 2 }]))).toBe("ab");
  });

  it("never link to anything that runs", () => {
    expect(safeHref("javascript:alert(1)")).toBeUndefined();
    expect(safeHref(" https://example.com")).toBeUndefined();
    expect(flat(richText("x", [{ kind: "link", offset: 0, length: 1, href: "javascript:alert(1)" }]))).toBe("<plain>x</>");
  });

  it("keep addresses inside of code as they are", () => {
    expect(flat(richText("https://a.b", [{ kind: "code", offset: 0, length: 11 }]))).toBe("<code>https://a.b</>");
  });

  it("beyond any sensible number leave the text whole", () => {
    const marks = Array.from({ length: 5000 }, (_, n) => ({ kind: "bold", offset: n, length: 1 }));
    expect(plain(richText("x".repeat(5000), marks))).toBe("x".repeat(5000));
  });
});
