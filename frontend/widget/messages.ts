/** What the loader on the customer's page and the frame from our origin say to each other by postMessage.
 *
 * Both sides check the other's window and origin. Nothing else crosses the border: the page never sees a
 * message, the frame never sees the page.
 */

export interface Page {
  url: string;
  title: string;
}

export type ToFrame =
  | { meridian: "start"; token: string | null }
  | { meridian: "open"; focus: boolean }
  | { meridian: "close" }
  | { meridian: "page"; page: Page }
  | { meridian: "token"; token: string | null };

export type FromFrame =
  | { meridian: "ready" }
  | { meridian: "look"; color: string; ink: string }
  | { meridian: "token"; token: string | null }
  | { meridian: "badge"; text: string; label: string }
  | { meridian: "close" }
  | { meridian: "where" }
  | { meridian: "wide"; on: boolean };
