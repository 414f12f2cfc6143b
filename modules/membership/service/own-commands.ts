import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Bytes, toHex } from "@ostrom/base";
import { keccak256, validatorSchemeOfKey } from "@ostrom/crypto";
import { MAX_CERTIFICATE_BYTES, ROLES, type Role, rolesToBits } from "@ostrom/membership-chain";
import {
  type CommandInput,
  type ModuleCommand,
  type ModuleParticipant,
  type ModuleTerminal,
  readParticipant,
  UsageError,
  type Values,
} from "@ostrom/runtime";
import { act } from "./sending.ts";
import {
  askNodes,
  askOrganisations,
  findOrganisation,
  ownOrganisation,
  readAddress,
  readCount,
  readWord,
  type ToldOrganisation,
} from "./told.ts";

const NODE_ACTIONS = ["add", "remove", "weight", "endpoint", "fees", "filter", "keys"] as const;

/** `ostrom membership node ...`: the machines of the organisation that the account administers. */
const node: ModuleCommand = {
  name: "node",
  summary: "add, change or remove a node of one's own organisation",
  usage: `${NODE_ACTIONS.join("|")} ...`,
  maxPositionals: 4,
  signs: true,
  flags: [
    { name: "observer", kind: "switch", help: "add: reads only, and does not validate", default: false },
    {
      name: "weight",
      kind: "number",
      help: "add: a validator's share of the organisation's weight (default: the file's)",
    },
    {
      name: "filter",
      kind: "list",
      placeholder: "ADDRESS",
      help: "of an observer: an account to follow; repeat",
    },
  ],
  examples: [
    "ostrom membership node add node-5/public.json --key-file admin.key",
    "ostrom membership node add watcher.json --observer --filter 0x5FbDB2315678afecb367f032d93F642f64180aa3",
    "ostrom membership node weight 5 50",
    "ostrom membership node endpoint 5 node-5.example 30303",
    "ostrom membership node fees 5 0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "ostrom membership node keys 5 new-node-5/public.json",
    "ostrom membership node remove 5",
  ],
  run: async (input, terminal) => {
    const [action, ...rest] = input.positionals;
    const word = readWord(action, NODE_ACTIONS, "what to do");
    if (word === "add") return addNode(rest[0], input, terminal);
    const id = readCount(rest[0], "NODE");
    switch (word) {
      case "remove":
        return act(terminal, "removeNode", [id], `Node ${id} is removed`);
      case "weight": {
        const weight = readCount(rest[1], "WEIGHT");
        return act(
          terminal,
          "setWeight",
          [id, BigInt(weight)],
          `Node ${id} has a share of ${weight} from the next set on`,
        );
      }
      case "endpoint":
        return act(
          terminal,
          "setEndpoint",
          [id, rest[1] ?? "", readCount(rest[2], "PORT")],
          `Node ${id} is found at ${rest[1]}:${rest[2]}`,
        );
      case "fees": {
        const account = toHex(readAddress(rest[1], "ADDRESS"));
        return act(terminal, "setFeeAccount", [id, account], `Fees of node ${id} go to ${account}`);
      }
      case "filter":
        return act(
          terminal,
          "setNodeFilter",
          [id, readFilter(input.values)],
          `The filter of node ${id} is changed`,
        );
      case "keys":
        return changeKeys(id, rest[1], terminal);
      default:
        return word satisfies never;
    }
  },
};

async function addNode(
  path: string | undefined,
  { values }: CommandInput,
  terminal: ModuleTerminal,
): Promise<number> {
  const machine = readMachine(path);
  const organisation = await ownOrganisation(terminal);
  const isObserver = values["observer"] === true;
  const weight = isObserver ? 0 : Number(values["weight"] ?? machine.weight);
  const keys = {
    account: toHex(machine.account),
    weight: BigInt(weight),
    port: machine.port,
    consensusKey: isObserver ? "0x" : toHex(machine.consensusKey),
    proofOfPossession: isObserver ? "0x" : toHex(machine.proofOfPossession),
    transportKey: toHex(machine.transportKey),
    name: machine.name,
    host: machine.host,
  };
  const args = [Number(organisation.id), isObserver ? 2 : 1, keys, readFilter(values)];
  const what = isObserver ? "observes" : `validates from the next set on, with a share of ${weight}`;
  return act(terminal, "addNode", args, `${machine.name} of ${organisation.name} ${what}`);
}

/** One transaction for each key that is another one. */
async function changeKeys(id: number, path: string | undefined, terminal: ModuleTerminal): Promise<number> {
  const machine = readMachine(path);
  const nodes = await askNodes(terminal, await askOrganisations(terminal));
  const found = nodes.find((entry) => Number(entry.id) === id);
  if (found === undefined) throw new UsageError(`there is no node ${id}`);
  const [consensusKey, transportKey] = [toHex(machine.consensusKey), toHex(machine.transportKey)];
  if (found.role === "validator" && found.consensusKey !== consensusKey)
    await act(
      terminal,
      "setConsensusKey",
      [id, consensusKey, toHex(machine.proofOfPossession)],
      `Node ${id} votes with another key from the next set on`,
    );
  if (found.transportKey !== transportKey)
    await act(terminal, "setTransportKey", [id, transportKey], `Node ${id} is linked by another key`);
  return 0;
}

/** What a machine tells of itself. @throws UsageError if its proof is none: nodes would leave the validator out of every set. */
function readMachine(path: string | undefined): ModuleParticipant {
  if (path === undefined)
    throw new UsageError(
      "name the machine's description: the public.json of ostrom join --account, or of ostrom keys create",
    );
  const read = readParticipant(parseJson(path));
  if (!read.ok) throw new UsageError(`${path}: ${read.error.message}`);
  const { consensusKey, proofOfPossession } = read.value;
  if (validatorSchemeOfKey(consensusKey)?.verifyPossession(consensusKey, proofOfPossession) !== true)
    throw new UsageError(`${path}: its proof of possession is not one of its consensus key`);
  return read.value;
}

function parseJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
}

/** `ostrom membership account ...`. */
const account: ModuleCommand = {
  name: "account",
  summary: "let an account send, deploy, operate or audit, or take that back",
  usage: `set ADDRESS ROLES|none`,
  maxPositionals: 3,
  signs: true,
  flags: [],
  examples: [
    "ostrom membership account set 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 sender,deployer",
    "ostrom membership account set 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 none",
  ],
  run: async ({ positionals: [action, address, roles] }, terminal) => {
    readWord(action, ["set"], "what to do");
    const who = toHex(readAddress(address, "ADDRESS"));
    const given = readRoles(roles);
    const { id, name } = await ownOrganisation(terminal);
    const what = given.length === 0 ? "nothing" : given.join(", ");
    return act(terminal, "setAccount", [Number(id), who, rolesToBits(given)], `${who} is ${what} of ${name}`);
  },
};

function readRoles(text: string | undefined): readonly Role[] {
  if (text === undefined)
    throw new UsageError(`say its roles: ${ROLES.join(", ")} with commas between, or none`);
  return text === "none" ? [] : text.split(",").map((role) => readWord(role, ROLES, "a role"));
}

const CA_ACTIONS = ["list", "add", "remove"] as const;

/** `ostrom membership ca ...`. */
const certificateAuthority: ModuleCommand = {
  name: "ca",
  summary:
    "add or remove a certificate authority of one's own organisation; to replace one, add the new, then remove the old",
  usage: "list [ORGANISATION] | add FILE | remove HASH",
  maxPositionals: 2,
  signs: true,
  flags: [],
  examples: [
    "ostrom membership ca list",
    "ostrom membership ca add new-ca.pem --key-file admin.key",
    "ostrom membership ca remove 0x4d1c... --key-file admin.key",
  ],
  run: async ({ positionals: [action, given] }, terminal) => {
    const word = readWord(action, CA_ACTIONS, "what to do");
    if (word === "list")
      return listCertificates(
        given === undefined ? await ownOrganisation(terminal) : await findOrganisation(terminal, given),
        terminal,
      );
    const own = await ownOrganisation(terminal);
    if (word === "add") {
      const der = readCertificate(given);
      const need =
        "links of its nodes need certificates of an authority of its own (keys/transport.crt, shown from the node's next start on)";
      const what = `${own.name} has the certificate authority ${toHex(keccak256(der))}: ${need}`;
      return act(terminal, "addCertificate", [Number(own.id), toHex(der)], what);
    }
    const found = own.certificates.filter(
      ({ hash }) => given !== undefined && hash.startsWith(given.toLowerCase()),
    );
    if (found.length !== 1)
      throw new UsageError(
        `HASH: ${own.name} has ${own.certificates.map(({ hash }) => hash).join(", ") || "no certificate authority"}`,
      );
    const hash = found[0]!.hash;
    return act(
      terminal,
      "removeCertificate",
      [Number(own.id), hash],
      `${own.name} no longer has the certificate authority ${hash}`,
    );
  },
};

function listCertificates({ name, certificates }: ToldOrganisation, terminal: ModuleTerminal): number {
  if (terminal.json) {
    for (const certificate of certificates) terminal.print(JSON.stringify(certificate));
    return 0;
  }
  if (certificates.length === 0)
    terminal.print(`${name} has no certificate authority: its nodes are known by their keys alone.`);
  for (const { hash, der } of certificates) terminal.print(`${hash}  ${describeDer(der)}`);
  return 0;
}

function describeDer(der: string): string {
  try {
    const { subject, validTo } = new X509Certificate(Buffer.from(der.slice(2), "hex"));
    return `${subject.replace(/\p{C}+/gu, ", ")}, until ${validTo}`;
  } catch {
    return "no certificate that can be read";
  }
}

/** PEM or DER. @throws UsageError for what no node would accept as an authority. */
function readCertificate(path: string | undefined): Bytes {
  if (path === undefined) throw new UsageError("name the certificate's file, PEM or DER");
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(readFileSync(path));
  } catch (error) {
    throw new UsageError(`${path}: no certificate: ${(error as Error).message}`);
  }
  if (!certificate.ca)
    throw new UsageError(`${path}: the certificate is not one of an authority (basicConstraints CA:TRUE)`);
  if (certificate.validToDate.getTime() < Date.now())
    throw new UsageError(`${path}: the certificate has expired`);
  const der = new Uint8Array(certificate.raw);
  if (der.length > MAX_CERTIFICATE_BYTES)
    throw new UsageError(`${path}: ${der.length} bytes; the chain keeps at most ${MAX_CERTIFICATE_BYTES}`);
  return der;
}

/** `ostrom membership admin ...`. */
const admin: ModuleCommand = {
  name: "admin",
  summary: "hand the administration of one's own organisation to another account, which takes it",
  usage: "offer ADDRESS | take ORGANISATION",
  maxPositionals: 2,
  signs: true,
  flags: [],
  examples: [
    "ostrom membership admin offer 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --key-file old.key",
    "ostrom membership admin take BankOfE --key-file new.key",
  ],
  run: async ({ positionals: [action, given] }, terminal) => {
    const word = readWord(action, ["offer", "take"], "what to do");
    if (word === "take") {
      const { id, name } = await findOrganisation(terminal, given);
      return act(terminal, "takeAdmin", [Number(id)], `The account administers ${name}`);
    }
    const account = toHex(readAddress(given, "ADDRESS"));
    const { id, name } = await ownOrganisation(terminal);
    return act(
      terminal,
      "offerAdmin",
      [Number(id), account],
      `${account} may take the administration of ${name}`,
    );
  },
};

/** Commands by which an organisation's administrator acts for it. */
export const ownCommands: readonly ModuleCommand[] = [node, account, certificateAuthority, admin];

function readFilter(values: Values): readonly string[] {
  const given = (values["filter"] as readonly string[] | undefined) ?? [];
  return given.map((text) => toHex(readAddress(text, "--filter")));
}
