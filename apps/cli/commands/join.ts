import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import * as path from "node:path";
import { addressFromHex, fromHex, unwrap } from "@ostrom/base";
import {
  DEFAULT_LINK_PORT,
  DEFAULT_RPC_PORT,
  describeParticipant,
  importServiceModules,
  installNativeCrypto,
  isBootstrapAddress,
  type JoiningKeys,
  provisionJoiner,
} from "@ostrom/runtime";
import { type Command, UsageError } from "../command.ts";
import { keysOf } from "../network-profile.ts";
import { readAddress, readHost } from "../units.ts";

const DESCRIPTION_FILE = "public.json";
const NAME = /^[A-Za-z0-9._-]{1,64}$/;
const LOOPBACK = "127.0.0.1";
const ANY_ADDRESS = "0.0.0.0";

export const join: Command = {
  name: "join",
  summary: "make the folder of a node that joins a running chain",
  usage: "--genesis FILE --bootstrap HOST:PORT [flags]",
  flags: [
    {
      name: "genesis",
      kind: "text",
      placeholder: "FILE",
      help: "the chain's genesis.json: whom you have it from you trust",
    },
    {
      name: "bootstrap",
      kind: "list",
      placeholder: "HOST:PORT",
      help: "a node of the chain, also PEERID@HOST:PORT; one suffices, several are better; repeat",
    },
    { name: "out", kind: "text", placeholder: "DIR", help: "the new node's folder", default: "node" },
    { name: "name", kind: "text", placeholder: "NAME", help: "what its log calls it", default: "follower" },
    {
      name: "host",
      kind: "text",
      placeholder: "HOST[:PORT]",
      help: "where others reach this machine; without it, it dials and is not dialed",
    },
    { name: "rpc-port", kind: "number", help: "where JSON-RPC is served", default: DEFAULT_RPC_PORT },
    {
      name: "account",
      kind: "text",
      placeholder: "ADDRESS",
      help: "for a node of an alliance's member: who gets its fees; writes public.json, which the member's administrator adds",
    },
  ],
  examples: [
    "ostrom join --genesis genesis.json --bootstrap node1.example:30310",
    "ostrom join --genesis genesis.json --bootstrap node1.example:30310 --host node5.example --name bank-e-1 --account 0xYours",
    "ostrom run --data-dir node   # fetches the chain, follows it, passes transactions on, serves others",
  ],
  run: async ({ values }, program) => {
    const genesisPath = values["genesis"] as string | undefined;
    const bootstrap = (values["bootstrap"] as readonly string[] | undefined) ?? [];
    if (genesisPath === undefined || bootstrap.length === 0)
      throw new UsageError(
        "say which chain, and where it is: --genesis FILE --bootstrap HOST:PORT. See: ostrom join --help",
      );
    const wrong = bootstrap.find((text) => !isBootstrapAddress(text));
    if (wrong !== undefined)
      throw new UsageError(`--bootstrap: expected HOST:PORT or PEERID@HOST:PORT, found "${wrong}"`);
    const name = String(values["name"]);
    if (!NAME.test(name))
      throw new UsageError(`--name: 1 to 64 letters, digits, dots, underscores or hyphens, not "${name}"`);
    const account = values["account"] as string | undefined;
    if (account !== undefined && values["host"] === undefined)
      throw new UsageError("--account: say too where the others reach this machine: --host HOST[:PORT]");
    const services = await importServiceModules(program.modules);
    installNativeCrypto();
    const folder = path.resolve(String(values["out"]));
    mkdirSync(path.dirname(folder), { recursive: true });
    const made = provisionJoiner(
      {
        name,
        folder,
        rpc: { host: LOOPBACK, port: values["rpcPort"] as number },
        bootstrap,
        ...place(values["host"]),
      },
      path.resolve(genesisPath),
      (length) => new Uint8Array(randomBytes(length)),
      {},
      keysOf(services),
    );
    if (!made.ok) throw new UsageError(made.error.message);
    const { peerId } = made.value;
    const file = path.join(folder, DESCRIPTION_FILE);
    if (account !== undefined) describeNode(file, name, account, String(values["host"]), made.value);
    if (values["json"] === true) {
      const described = account === undefined ? {} : { description: file };
      console.log(JSON.stringify({ folder, name, peerId, bootstrap, ...described }));
      return 0;
    }
    const lines = [
      `A node that follows the chain is in ${folder}. Its name on the network: ${peerId}`,
      "",
      "Start it, and it fetches the chain from those that it finds:",
      `  ostrom run --data-dir ${folder}`,
      ...(account === undefined ? [] : memberLines(file)),
    ];
    console.log(lines.join("\n"));
    return 0;
  },
};

/** Writes what the chain must know of the node before it can be one of a member's. */
function describeNode(file: string, name: string, account: string, host: string, made: JoiningKeys): void {
  const link = readHost(host, "--host");
  const description = describeParticipant({
    ...made,
    ...link,
    name,
    organisation: name,
    account: addressFromHex(readAddress(account, "--account")),
    weight: 1,
    transportKey: unwrap(fromHex(made.peerId)),
  });
  writeFileSync(file, `${JSON.stringify(description, undefined, 2)}\n`);
}

function memberLines(file: string): readonly string[] {
  return [
    "",
    `What the chain must know of it is in ${file}; all of it is public. The member's administrator adds it:`,
    `  ostrom membership node add ${file} --key-file FILE`,
  ];
}

/** Where it listens, and where it says that it is: an address of IP, because a name belongs to no network. */
function place(given: unknown): {
  readonly link: { readonly host: string; readonly port: number };
  readonly listenHost: string;
  readonly advertise?: readonly string[];
} {
  if (given === undefined)
    return { link: { host: ANY_ADDRESS, port: DEFAULT_LINK_PORT }, listenHost: ANY_ADDRESS };
  const link = readHost(String(given), "--host");
  const isLocal = link.host === "localhost" || link.host === "::1" || /^127\./.test(link.host);
  const shown = link.host.includes(":") ? `[${link.host}]` : link.host;
  return {
    link,
    listenHost: isLocal ? link.host : ANY_ADDRESS,
    ...(isLocal || isIP(link.host) === 0 ? {} : { advertise: [`${shown}:${link.port}`] }),
  };
}
