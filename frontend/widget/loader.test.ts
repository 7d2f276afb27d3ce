import { beforeEach, describe, expect, it, vi } from "vitest";

const ORIGIN = "https://inbox.example";

async function load(attributes: Record<string, string> = {}): Promise<void> {
  const script = document.createElement("script");
  Object.defineProperty(script, "src", { value: `${ORIGIN}/widget/loader.js` });
  script.dataset["channel"] = "c1";
  Object.assign(script.dataset, attributes);
  vi.spyOn(document, "currentScript", "get").mockReturnValue(script);
  vi.resetModules();
  await import("./loader");
}

function parts(): { host: Element; launcher: HTMLButtonElement; frame: HTMLIFrameElement | null; box: Element } {
  const host = document.querySelector("meridian-chat")!;
  const root = host.shadowRoot!;
  return { host, launcher: root.querySelector("button")!, frame: root.querySelector("iframe"), box: root.querySelector("div")! };
}

function fromFrame(data: object, origin = ORIGIN, source: unknown = parts().frame!.contentWindow): void {
  const event = new MessageEvent("message", { data, origin });
  Object.defineProperty(event, "source", { value: source });
  window.dispatchEvent(event);
}

beforeEach(() => {
  document.querySelectorAll("meridian-chat").forEach((host) => host.remove());
  delete window.MeridianChat;
  localStorage.clear();
  sessionStorage.clear();
});

describe("the loader", () => {
  it("draws one launcher, however often the page loads it", async () => {
    await load();
    await load();
    expect(document.querySelectorAll("meridian-chat")).toHaveLength(1);
    expect(parts().launcher.ariaLabel).toBe("Chat");
  });

  it("loads nothing from us until somebody wants to chat", async () => {
    await load();
    expect(parts().frame).toBeNull();
    parts().launcher.dispatchEvent(new Event("pointerenter"));
    const address = new URL(parts().frame!.src);
    expect(address.origin + address.pathname).toBe(`${ORIGIN}/widget/`);
    expect(address.searchParams.get("channel")).toBe("c1");
    expect(address.searchParams.get("host")).toBe(location.origin);
  });

  it("opens when the frame is ready, and closes at the frame's word", async () => {
    await load();
    parts().launcher.click();
    expect(parts().box.classList.contains("open")).toBe(false);
    fromFrame({ meridian: "ready" });
    expect(parts().box.classList.contains("open")).toBe(true);
    expect(parts().launcher.ariaExpanded).toBe("true");
    fromFrame({ meridian: "close" });
    expect(parts().box.classList.contains("open")).toBe(false);
  });

  it("hears nobody but its frame at our origin", async () => {
    await load();
    parts().launcher.click();
    fromFrame({ meridian: "token", token: "stolen" }, "https://evil.example");
    fromFrame({ meridian: "token", token: "stolen" }, ORIGIN, window);
    expect(localStorage.getItem("meridian-chat:c1")).toBeNull();
    fromFrame({ meridian: "token", token: "mine" });
    expect(localStorage.getItem("meridian-chat:c1")).toBe("mine");
  });

  it("shows how many messages wait", async () => {
    await load();
    parts().launcher.click();
    fromFrame({ meridian: "badge", text: "2", label: "Open chat, 2 unread messages" });
    expect(parts().launcher.textContent).toBe("2");
    expect(parts().launcher.ariaLabel).toBe("Open chat, 2 unread messages");
  });

  it("comes back when the page throws its nodes away", async () => {
    await load();
    parts().host.remove();
    await vi.waitFor(() => expect(document.querySelectorAll("meridian-chat")).toHaveLength(1));
  });

  it("forgets the visitor on reset", async () => {
    localStorage.setItem("meridian-chat:c1", "mine");
    await load();
    window.MeridianChat!("reset");
    expect(localStorage.getItem("meridian-chat:c1")).toBeNull();
  });

  it("stands on the left when asked to", async () => {
    await load({ position: "left" });
    expect(parts().box.className).toBe("left");
  });
});
