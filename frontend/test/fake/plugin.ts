import type { Plugin } from "vite";

import { FakeServer } from "./server";

/** `vite --mode fake`: the app with an imitated server, for work on screens without the product. */
export function fakeServer(): Plugin {
  return {
    name: "fake-server",
    configureServer(vite) {
      const fake = new FakeServer();
      vite.middlewares.use((request, response, next) => fake.handle(request, response, next));
      if (vite.httpServer) fake.listen(vite.httpServer);
    },
  };
}
