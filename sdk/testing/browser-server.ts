import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
const CORE_PACKAGES = [
  "base",
  "codec",
  "consensus",
  "crypto",
  "execution",
  "rpc-schema",
  "state",
  "vm",
  "wasm",
];
const VIEM_HASHES = "/node_modules/viem/node_modules/@noble/hashes/esm";

/** What a browser is told of packages' names: no bundler, the sources as they are. Of viem, a page that uses nothing else loads the
 * modules that the transport and accounts need. */
const IMPORT_MAP: string = JSON.stringify({
  imports: {
    ...Object.fromEntries(CORE_PACKAGES.map((name) => [`@ostrom/${name}`, `/core/${name}/index.ts`])),
    "@ostrom/sdk": "/sdk/index.ts",
    "@noble/ciphers/": "/node_modules/@noble/ciphers/",
    "@noble/curves/": "/node_modules/@noble/curves/",
    "@noble/hashes/": "/node_modules/@noble/hashes/",
    "@noble/post-quantum/": "/node_modules/@noble/post-quantum/",
    abitype: "/node_modules/abitype/dist/esm/exports/index.js",
    viem: "/viem.js",
  },
  // It brings a version of its own.
  scopes: {
    "/node_modules/viem/": {
      "@noble/hashes/sha3": `${VIEM_HASHES}/sha3.js`,
      "@noble/hashes/crypto": `${VIEM_HASHES}/crypto.js`,
    },
  },
});

const PAGE = `<!doctype html><title>light client</title><script type="importmap">${IMPORT_MAP}</script>`;
/** By where viem has them. */
const VIEM_EXPORTS: Readonly<Record<string, string>> = {
  custom: "clients/transports/custom.js",
  RpcRequestError: "errors/request.js",
  decodeFunctionResult: "utils/abi/decodeFunctionResult.js",
  encodeAbiParameters: "utils/abi/encodeAbiParameters.js",
  encodeFunctionData: "utils/abi/encodeFunctionData.js",
  hashMessage: "utils/signature/hashMessage.js",
  hashTypedData: "utils/signature/hashTypedData.js",
};
const VIEM: string = [
  `export { parseAbi } from "abitype";`,
  ...Object.entries(VIEM_EXPORTS).map(
    ([name, path]) => `export { ${name} } from "/node_modules/viem/_esm/${path}";`,
  ),
].join("\n");

export type SourceServer = { readonly url: string; readonly stop: () => Promise<void> };

/** Serves a page, and the repository's TypeScript with its types taken out. */
export async function serveSources(): Promise<SourceServer> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    answer(path)
      .then(({ type, text }) => response.writeHead(200, { "content-type": type }).end(text))
      .catch(() => response.writeHead(404).end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, stop: () => close(server) };
}

async function answer(path: string): Promise<{ readonly type: string; readonly text: string }> {
  const script = "text/javascript; charset=utf-8";
  if (path === "/") return { type: "text/html; charset=utf-8", text: PAGE };
  if (path === "/viem.js") return { type: script, text: VIEM };
  if (!/^\/(core|sdk|node_modules)\/.*\.(ts|js)$/.test(path)) throw new Error("nothing here");
  const source = await readFile(join(ROOT, path), "utf8");
  return { type: script, text: path.endsWith(".ts") ? stripTypeScriptTypes(source) : source };
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
