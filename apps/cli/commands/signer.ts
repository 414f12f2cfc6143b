import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  installNativeCrypto,
  KEYS_FOLDER,
  type RemoteSignerServer,
  startRemoteSigner,
  useRemoteSigner,
} from "@ostrom/runtime";
import { readSecretFile, writeSecretFile } from "@ostrom/storage";
import { type Command, UsageError, type Values } from "../command.ts";

const TOKEN_FILE = "signer.token";
const OWN_MACHINE = /^(?:127(?:\.\d{1,3}){3}|localhost|::1|\[::1\])$/;
const TOKEN_BYTES = 32;
const DEFAULT_SIGNER_PORT = 8_700;
const HIGHEST_PORT = 65_535;

export const signer: Command = {
  name: "signer",
  summary: "keep a validator's consensus keys on a machine of their own",
  usage: "serve --data-dir DIR [--first] | use NODE-FOLDER --url URL --token-file FILE",
  maxPositionals: 2,
  flags: [
    {
      name: "data-dir",
      kind: "text",
      placeholder: "DIR",
      help: "serve: folder with keys/consensus.key; the log of what was signed goes there",
      default: ".",
    },
    {
      name: "first",
      kind: "switch",
      help: "serve: these keys have never signed anything: a log may be begun",
    },
    {
      name: "host",
      kind: "text",
      placeholder: "HOST",
      help: "serve: where it listens",
      default: "127.0.0.1",
    },
    { name: "port", kind: "number", help: "serve: its port", default: DEFAULT_SIGNER_PORT },
    {
      name: "certificate",
      kind: "text",
      placeholder: "FILE",
      help: "serve: PEM of its TLS certificate; use: of the certificate that it is issued by, or its own",
    },
    {
      name: "certificate-key",
      kind: "text",
      placeholder: "FILE",
      help: "serve: PEM of the certificate's key",
    },
    { name: "url", kind: "text", placeholder: "URL", help: "use: where the signer answers" },
    {
      name: "token-file",
      kind: "text",
      placeholder: "FILE",
      help: `use: what serve wrote to keys/${TOKEN_FILE}: whoever has it can have votes signed`,
    },
  ],
  examples: [
    "ostrom signer serve --data-dir signer --first --certificate signer.crt --certificate-key signer.key --host 10.0.0.7",
    "ostrom signer use validator-1 --url https://10.0.0.7:8700 --token-file signer.token --certificate signer.crt",
  ],
  run: async ({ values, positionals }) => {
    const [action, folder] = positionals;
    if (action === "use" && folder !== undefined) return use(resolve(folder), values);
    if (action === "serve" && folder === undefined) return serve(values);
    throw new UsageError("say what to do: serve, or use NODE-FOLDER. See: ostrom signer --help");
  },
};

async function serve(values: Values): Promise<number> {
  const folder = resolve(String(values["dataDir"]));
  const host = String(values["host"]);
  const port = values["port"] as number;
  if (port > HIGHEST_PORT) throw new UsageError(`--port: expected a port from 0 to ${HIGHEST_PORT}`);
  const tls = await readTls(values);
  if (tls === undefined && !OWN_MACHINE.test(host))
    throw new UsageError(`--host ${host}: others may listen there: give --certificate and --certificate-key`);
  installNativeCrypto();
  const stopAsked = new Promise<void>((stop) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => stop());
  });
  const token = await ensureToken(folder);
  const started = await startRemoteSigner({
    ...{ folder, host, port, tls, token, isFirst: values["first"] === true },
    log: (level, message, fields) =>
      console.error(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })),
  }).catch((error: Error) => {
    throw new UsageError(error.message);
  });
  if (!started.ok) throw new UsageError(started.error.message);
  tell(
    started.value,
    `${tls === undefined ? "http" : "https"}://${host}:${started.value.port}`,
    folder,
    values,
  );
  await stopAsked;
  await started.value.stop();
  return 0;
}

function tell({ keys }: RemoteSignerServer, url: string, folder: string, values: Values): void {
  const tokenFile = join(folder, KEYS_FOLDER, TOKEN_FILE);
  const shown = keys.map(({ scheme, publicKey }) => ({ scheme, publicKey }));
  console.log(
    values["json"] === true
      ? JSON.stringify({ event: "ready", url, tokenFile, keys: shown })
      : `Signing at ${url} with ${keys.length} keys; its nodes need ${tokenFile}. Ctrl-C stops it.`,
  );
}

async function use(folder: string, values: Values): Promise<number> {
  const { url, tokenFile, certificate } = values as Readonly<Record<string, string | undefined>>;
  if (url === undefined || tokenFile === undefined)
    throw new UsageError("say where the signer is: --url URL --token-file FILE");
  if (!URL.canParse(url) || !/^https?:/.test(url)) throw new UsageError(`--url: "${url}" is no address`);
  const { protocol, hostname } = new URL(url);
  if (protocol === "http:" && !OWN_MACHINE.test(hostname))
    throw new UsageError("--url: over a network the signer must speak TLS: https://");
  const token = (await secretText(tokenFile)).trim();
  const pem = certificate === undefined ? "" : readFileSync(certificate, "utf8");
  const settings = await useRemoteSigner(folder, { url, token, certificate: pem });
  if (!settings.ok) throw new UsageError(settings.error.message);
  const keys = settings.value.keys.map(({ scheme, publicKey }) => ({ scheme, publicKey }));
  const own = join(folder, KEYS_FOLDER, "consensus.key");
  const advice = existsSync(own)
    ? `\n${own} is still there: never let it sign here too. Stop the node, move the key to the signer, and delete it here.`
    : "";
  console.log(
    values["json"] === true
      ? JSON.stringify({ url, keys })
      : `The node of ${folder} has ${keys.length} keys at ${url} from its next start on.${advice}`,
  );
  return 0;
}

async function ensureToken(folder: string): Promise<string> {
  const path = join(folder, KEYS_FOLDER, TOKEN_FILE);
  if (!existsSync(path)) {
    mkdirSync(join(folder, KEYS_FOLDER), { recursive: true, mode: 0o700 });
    await writeSecretFile(path, `${randomBytes(TOKEN_BYTES).toString("hex")}\n`);
  }
  return (await secretText(path)).trim();
}

async function readTls(
  values: Values,
): Promise<{ readonly certificate: string; readonly key: string } | undefined> {
  const { certificate, certificateKey } = values as Readonly<Record<string, string | undefined>>;
  if (certificate === undefined && certificateKey === undefined) return undefined;
  if (certificate === undefined || certificateKey === undefined)
    throw new UsageError("--certificate and --certificate-key go together");
  return { certificate: readFileSync(certificate, "utf8"), key: await secretText(certificateKey) };
}

async function secretText(path: string): Promise<string> {
  try {
    return await readSecretFile(resolve(path));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}
