import { describe, expect, it } from "vitest";

import { parseMarkdown } from "./markdown";
import { safeHref, toNodes, type Node } from "./tree";

const plain = (nodes: Node[]): string => nodes.map((node) => ("text" in node ? node.text : plain(node.children))).join("");
const outline = (nodes: Node[]): string =>
  nodes.map((node) => ("text" in node ? node.text : `<${node.mark.kind}>${outline(node.children)}</${node.mark.kind}>`)).join("");
const mark = (kind: string, offset: number, length: number, href?: string) => ({ kind, offset, length, ...(href ? { href } : {}) });

describe("marks", () => {
  it("that overlap are nested without losing text", () => {
    const nodes = toNodes("abcdef", [mark("bold", 0, 4), mark("italic", 2, 4)]);
    expect(outline(nodes)).toBe("<bold>ab<italic>cd</italic></bold><italic>ef</italic>");
  });

  it("count UTF-16 units, as the server does", () => {
    expect(outline(toNodes("😀 bold", [mark("bold", 3, 4)]))).toBe("😀 <bold>bold</bold>");
  });

  it("that lie outside the text are left out", () => {
    expect(outline(toNodes("abc", [mark("bold", 5, 2), mark("bold", -1, 2), mark("bold", 1, 99)]))).toBe("a<bold>bc</bold>");
  });

  it("never turn text into markup", () => {
    expect(plain(toNodes("<img src=x onerror=alert(1)>", [mark("bold", 0, 4)]))).toBe("<img src=x onerror=alert(1)>");
  });
});

describe("links", () => {
  it("lead only to safe places", () => {
    expect(safeHref("https://example.org")).toBe("https://example.org");
    expect(["javascript:alert(1)", " JaVaScript:alert(1)", "data:text/html,x", "//evil.example", null].map(safeHref)).toEqual([null, null, null, null, null]);
  });

  it("are found in plain text, without the dot behind them", () => {
    expect(outline(toNodes("see https://example.org/a?b=1."))).toBe("see <link>https://example.org/a?b=1</link>.");
  });

  it("are not found inside code", () => {
    expect(outline(toNodes("https://a.b", [mark("code", 0, 11)]))).toBe("<code>https://a.b</code>");
  });
});

describe("markdown", () => {
  const show = (text: string) => {
    const rich = parseMarkdown(text);
    return outline(toNodes(rich.text, rich.marks));
  };

  it("knows the signs that agents write", () => {
    expect(show("**a** *b* _c_ ~~d~~ `e` [f](https://g.example)")).toBe(
      "<bold>a</bold> <italic>b</italic> <italic>c</italic> <strike>d</strike> <code>e</code> <link>f</link>",
    );
  });

  it("nests", () => {
    expect(show("**a *b* c**")).toBe("<bold>a <italic>b</italic> c</bold>");
  });

  it("leaves alone what is not formatting", () => {
    expect(show("2 * 3 * 4, snake_case_name, a_b_ c, a ** b")).toBe("2 * 3 * 4, snake_case_name, a_b_ c, a ** b");
  });

  it("takes a sign literally behind a backslash", () => {
    expect(show("\\*not\\*")).toBe("*not*");
  });

  it("quotes lines", () => {
    expect(show("> one\n> two\nthree")).toBe("<quote>one\ntwo</quote>\nthree");
  });

  it("does not look for formatting in a very long text", () => {
    const text = "**".repeat(50_000);
    expect(parseMarkdown(text)).toEqual({ text, marks: [] });
  });
});
