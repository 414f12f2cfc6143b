import { join } from "node:path";
import react from "@vitejs/plugin-react";
import type { ProxyOptions, UserConfig } from "vite";

/** A running console, for `vite` with hot reload: `OSTROM_CONSOLE=http://127.0.0.1:8500 npx vite apps/explorer`. */
const consoleUrl: string = process.env["OSTROM_CONSOLE"] ?? "http://127.0.0.1:8500";
// The console answers its own pages alone.
const proxied: ProxyOptions = {
  target: consoleUrl,
  ws: true,
  changeOrigin: true,
  headers: { origin: consoleUrl },
};

const config: UserConfig = {
  root: join(import.meta.dirname, "web"),
  plugins: [react()],
  build: {
    target: "es2023",
    // Loaded when they are needed; said here so that nobody has to look for the reason of a warning.
    chunkSizeWarningLimit: 1_500,
    // Data URIs would need an exception in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
  server: {
    host: "127.0.0.1",
    proxy: { "/rpc": proxied, "/api": proxied, "/v2": proxied, "/console.json": proxied, "/docs": proxied },
  },
};

export default config;
