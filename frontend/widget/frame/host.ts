/** The page around us. Only its window at the origin that made the frame is heard, and only it is told. */

import type { FromFrame, ToFrame } from "../messages";

export interface Host {
  /** True when the frame stands alone in a tab, as a linked page: there is nobody to close it. */
  alone: boolean;
  say(message: FromFrame): void;
  listen(hear: (message: ToFrame) => void): void;
}

export function embedded(origin: string): Host {
  return {
    alone: false,
    say: (message) => window.parent.postMessage(message, origin),
    listen: (hear) =>
      addEventListener("message", (event: MessageEvent<ToFrame>) => {
        if (event.source === window.parent && event.origin === origin && event.data?.meridian) hear(event.data);
      }),
  };
}

/** The same promises without a page around: the token is kept here. */
export function alone(channel: string, storage: Storage): Host {
  const key = `meridian-chat:${channel}`;
  let hear: (message: ToFrame) => void = () => undefined;
  return {
    alone: true,
    say: (message) => {
      if (message.meridian === "token") {
        if (message.token) storage.setItem(key, message.token);
        else storage.removeItem(key);
      } else if (message.meridian === "ready") {
        hear({ meridian: "start", token: storage.getItem(key) });
        hear({ meridian: "open", focus: true });
      } else if (message.meridian === "where") {
        hear({ meridian: "page", page: { url: location.href, title: document.title } });
      }
    },
    listen: (listener) => {
      hear = listener;
    },
  };
}
