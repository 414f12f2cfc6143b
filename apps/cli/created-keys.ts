import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { SUITES } from "@ostrom/execution";
import {
  DEFAULT_RPC_PORT,
  describeParticipant,
  importServiceModules,
  installNativeCrypto,
  participantFingerprint,
  provisionMachine,
} from "@ostrom/runtime";
import { type CommandInput, type Flag, UsageError } from "./command.ts";
import { keysOf } from "./network-profile.ts";
import type { Program } from "./program.ts";
import { readSuiteName, SUITE_FLAG } from "./suite-choice.ts";
import { readAddress, readHost } from "./units.ts";

const DESCRIPTION_FILE = "public.json";
const NAME = /^[A-Za-z0-9._-]{1,64}$/;
const LOOPBACK = "127.0.0.1";
const ANY_ADDRESS = "0.0.0.0";

/** Flags of `ostrom keys create`. */
export const CREATE_FLAGS: readonly Flag[] = [
  { name: "out", kind: "text", placeholder: "DIR", help: "create: the new node's folder" },
  {
    name: "host",
    kind: "text",
    placeholder: "HOST[:PORT]",
    help: "create: where the others reach this machine",
  },
  {
    name: "account",
    kind: "text",
    placeholder: "ADDRESS",
    help: "create: your account: gets fees and rewards, and acts for your organisation",
  },
  {
    name: "organisation",
    kind: "text",
    placeholder: "NAME",
    help: "create: whose node it is (default: --name)",
  },
  {
    name: "certificate",
    kind: "text",
    placeholder: "FILE",
    help: "create: PEM of your organisation's certificate authority, if it has one",
  },
  { ...SUITE_FLAG, help: `create: ${SUITE_FLAG.help}` },
  { name: "weight", kind: "number", help: "create: share of votes among the first validators", default: 1 },
  { name: "rpc-port", kind: "number", help: "create: where JSON-RPC is served", default: DEFAULT_RPC_PORT },
];

/** Makes the keys of this machine and tells what the others must know of them: `ostrom keys create`.
 * @returns the exit code. @throws UsageError. */
export async function createKeys({ values }: CommandInput, program: Program): Promise<number> {
  const folder = values["out"] as string | undefined;
  const name = values["name"] as string | undefined;
  const account = values["account"] as string | undefined;
  if (folder === undefined || name === undefined || values["host"] === undefined || account === undefined) {
    throw new UsageError(
      "say which node it will be: --out DIR --name NAME --host HOST[:PORT] --account ADDRESS. See: ostrom keys --help",
    );
  }
  const organisation = (values["organisation"] as string | undefined) ?? name;
  for (const [flag, text] of [
    ["name", name],
    ["organisation", organisation],
  ]) {
    if (!NAME.test(text!))
      throw new UsageError(`--${flag}: 1 to 64 letters, digits, dots, underscores or hyphens, not "${text}"`);
  }
  const weight = values["weight"] as number;
  if (weight < 1) throw new UsageError("--weight: choose 1 or more");
  const link = readHost(String(values["host"]), "--host");
  const isLocal = link.host === "localhost" || link.host === "::1" || /^127\./.test(link.host);
  const suite = readSuiteName({ values });
  const services = await importServiceModules(program.modules);
  installNativeCrypto();
  const path = resolve(folder);
  mkdirSync(dirname(path), { recursive: true });
  const made = provisionMachine(
    {
      name,
      folder: path,
      feeRecipient: readAddress(account, "--account"),
      weight,
      organisation,
      certificateAuthority: readCertificate(values["certificate"]),
      link,
      listenHost: isLocal ? link.host : ANY_ADDRESS,
      rpc: { host: LOOPBACK, port: values["rpcPort"] as number },
    },
    keysOf(services),
    (length) => new Uint8Array(randomBytes(length)),
    SUITES[suite],
  );
  if (!made.ok) throw new UsageError(made.error.message);
  const file = join(path, DESCRIPTION_FILE);
  const description = describeParticipant(made.value);
  writeFileSync(file, `${JSON.stringify(description, undefined, 2)}\n`);
  const fingerprint = participantFingerprint(made.value);
  if (values["json"] === true) {
    console.log(JSON.stringify({ folder: path, description: file, fingerprint, public: description }));
    return 0;
  }
  const lines = [
    `The keys of ${name} are in ${join(path, "keys")}, readable by you alone: they stay on this machine.`,
    `What the others need is in ${file}; all of it is public. Give it to whoever makes the genesis:`,
    `  ostrom init --chain-id N --profile NAME${suite === "ethereum" ? "" : ` --suite ${suite}`} --join ${file} --join ...`,
    "",
    `Fingerprint, to be compared with what they see:  ${fingerprint}`,
    "",
    `Then copy their genesis.json to ${path}, and: ostrom run --data-dir ${folder}`,
  ];
  console.log(lines.join("\n"));
  return 0;
}

/** DER of a PEM file's first certificate. */
function readCertificate(path: unknown): Uint8Array | undefined {
  if (path === undefined) return undefined;
  const text = readFileSync(String(path), "utf8");
  const body = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/.exec(text)?.[1];
  if (body === undefined)
    throw new UsageError(`--certificate ${String(path)}: it holds no certificate (PEM)`);
  return new Uint8Array(Buffer.from(body, "base64"));
}
