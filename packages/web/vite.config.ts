/** Builds the dashboard to static files; `vite` serves it for development against a running Homeostat or the fake server. */
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** `vite --mode fake` talks to dev/fake-server.ts, plain `vite` to `homeostat up` on its usual port. */
export default defineConfig(({ mode }) => {
  const target = mode === "fake" ? "http://127.0.0.1:7718" : "http://127.0.0.1:7717";
  return {
    plugins: [react()],
    server: { host: "127.0.0.1", proxy: { "/v1": target, "/reference": target } },
    build: {
      // `light-dark()`, `oklch()` and nesting reach the browser as written: all three are in every engine since 2024.
      target: ["chrome125", "firefox128", "safari18"],
      // A data: URI would need img-src data: in the content security policy.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: true,
    },
  };
});
