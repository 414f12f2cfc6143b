import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { RpcTls } from "@ostrom/rpc";
import { readSecret } from "./key-files.ts";

/** Certificates of common authorities live for weeks: a node need not be restarted for a new one. */
const LOOK_AGAIN_MS = 60_000;

/** Paths of PEM files. */
export type RpcTlsFiles = { readonly certificate: string; readonly key: string };

/** What node.json says, from the node's folder. @returns undefined for plain HTTP. @throws if one of the two is missing. */
export function tlsFilesOf(folder: string, { certificate, key }: RpcTlsFiles): RpcTlsFiles | undefined {
  if (certificate === "" && key === "") return undefined;
  if (certificate === "" || key === "")
    throw new Error("rpc.tls: certificate and key go together: name both files, or none");
  return { certificate: resolve(folder, certificate), key: resolve(folder, key) };
}

/** Reads the files now, and again when one of them has changed. @throws if they cannot be read, or others can read the key. */
export function watchRpcCertificate(files: RpcTlsFiles, renewed: (tls: RpcTls | Error) => void): RpcTls {
  let seen = stampOf(files);
  const looking = setInterval(() => {
    try {
      const stamp = stampOf(files);
      if (stamp === seen) return;
      seen = stamp;
      renewed(readFiles(files));
    } catch (error) {
      renewed(error as Error);
    }
  }, LOOK_AGAIN_MS);
  looking.unref();
  return readFiles(files);
}

function readFiles({ certificate, key }: RpcTlsFiles): RpcTls {
  const secret = readSecret(key);
  if (!secret.ok) throw new Error(`rpc.tls: ${secret.error.message}`);
  return { certificate: readFileSync(certificate, "utf8"), key: secret.value };
}

function stampOf({ certificate, key }: RpcTlsFiles): string {
  return [certificate, key].map((path) => statSync(path).mtimeMs).join();
}
