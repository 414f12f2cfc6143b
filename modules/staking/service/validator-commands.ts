import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addressFromHex, equalBytes, toHex } from "@ostrom/base";
import {
  addConsensusKey,
  type CommandInput,
  checksumAddress,
  installNativeCrypto,
  type ModuleCommand,
  type ModuleTerminal,
  UsageError,
} from "@ostrom/runtime";
import { stakingCall } from "./act-calls.ts";
import {
  findValidator,
  ownStaker,
  readAmount,
  readPlace,
  requiredText,
  sendAndTell,
  showCoins,
} from "./command-parts.ts";
import { OPERATOR_KEY, VRF_KEY } from "./keys.ts";
import {
  createMissingKeys,
  describeMachine,
  findConsensusKey,
  operatorOf,
  type RegistrationFile,
  readRegistration,
  readStakingKeys,
  registrationArgument,
  signConsent,
} from "./machine-keys.ts";

const STANDARD_COMMISSION_PERCENT = "5";
const PARTS_OF_A_PERCENT = 100;
const MAX_COMMISSION_PERCENT = 50;

/** `ostrom staking keys`: on the validator's machine. */
const keys: ModuleCommand = {
  name: "keys",
  summary:
    "on a validator's machine: make the keys it needs for staking, and describe it for the account that bonds it",
  usage: "FOLDER [--operator ADDRESS --host HOST:PORT --name NAME [--out FILE]]",
  maxPositionals: 1,
  signs: false,
  flags: [
    {
      name: "operator",
      kind: "text",
      placeholder: "ADDRESS",
      help: "the account that will bond and own the validator",
    },
    { name: "host", kind: "text", placeholder: "HOST:PORT", help: "where the others reach the node's links" },
    { name: "name", kind: "text", placeholder: "NAME", help: "of the validator, for people" },
    {
      name: "out",
      kind: "text",
      placeholder: "FILE",
      help: "writes the description there (else it is printed)",
    },
  ],
  examples: [
    "ostrom staking keys node",
    "ostrom staking keys node --operator 0xYours --host node.example.org:30303 --name mine --out mine.json",
  ],
  run: async (input, terminal) => {
    const { values, positionals } = input;
    const [folder] = positionals;
    if (folder === undefined)
      throw new UsageError("say which node's folder. See: ostrom staking keys --help");
    installNativeCrypto();
    const made = createMissingKeys(folder);
    if (values["operator"] === undefined) return tellKeys(folder, made, terminal);
    const text = `${JSON.stringify(await describe(input, folder, terminal), undefined, 2)}\n`;
    const out = values["out"] as string | undefined;
    if (out === undefined) terminal.print(text.trimEnd());
    else {
      if (existsSync(out)) throw new UsageError(`${out} is there already; choose another file`);
      writeFileSync(out, text);
      terminal.print(`${out} describes the machine; all in it is public.`);
      terminal.print(
        `Bond it with that account: ostrom staking bond --registration ${out} --amount COINS --key-file FILE`,
      );
    }
    return 0;
  },
};

function tellKeys(folder: string, made: readonly string[], terminal: ModuleTerminal): number {
  const parts = readStakingKeys(folder);
  const [vrf, operator] = [parts[VRF_KEY], parts[OPERATOR_KEY]];
  const account = operator === undefined ? "none" : checksumAddress(addressFromHex(toHex(operator)));
  if (terminal.json) {
    terminal.print(JSON.stringify({ made, vrfKey: vrf === undefined ? null : toHex(vrf), account }));
    return 0;
  }
  for (const path of made) terminal.print(`A new key is in ${path}, readable by you alone.`);
  terminal.print(`key of the random function  ${vrf === undefined ? "none" : toHex(vrf)}`);
  terminal.print(`account that pays for gas   ${account}: send it some coins`);
  return 0;
}

async function describe(
  input: CommandInput,
  folder: string,
  terminal: ModuleTerminal,
): Promise<RegistrationFile> {
  const operator = addressFromHex(
    checkedAddress(requiredText(input, "operator", "operator ADDRESS", "whose it is")),
  );
  const place = readPlace(requiredText(input, "host", "host HOST:PORT", "where the others reach it"));
  const name = requiredText(input, "name", "name NAME", "what it is called");
  const chainId = BigInt(await terminal.ask<string>("eth_chainId"));
  const file = describeMachine(folder, { name, ...place }, chainId, operator);
  return readRegistration(JSON.stringify(file), "this machine");
}

function checkedAddress(text: string): string {
  if (/^0x[0-9a-fA-F]{40}$/.test(text)) return text;
  throw new UsageError(`--operator: expected an address (0x and 40 hex digits), found "${text}"`);
}

/** `ostrom staking bond`: becomes a validator, or puts more behind one's own. */
const bond: ModuleCommand = {
  name: "bond",
  summary: "become a validator with coins of your own at stake, or add to them",
  usage: "--amount COINS [--registration FILE | --keys FOLDER --host HOST:PORT --name NAME]",
  signs: true,
  flags: [
    { name: "amount", kind: "text", placeholder: "COINS", help: "own stake to begin with, or to add" },
    {
      name: "registration",
      kind: "text",
      placeholder: "FILE",
      help: "what ostrom staking keys wrote on the machine",
    },
    {
      name: "keys",
      kind: "text",
      placeholder: "FOLDER",
      help: "the node's folder, if it is on this machine",
    },
    {
      name: "host",
      kind: "text",
      placeholder: "HOST:PORT",
      help: "with --keys: where the others reach the node's links",
    },
    { name: "name", kind: "text", placeholder: "NAME", help: "with --keys: of the validator, for people" },
    {
      name: "commission",
      kind: "text",
      placeholder: "PERCENT",
      help: "of delegators' rewards that are yours",
      default: STANDARD_COMMISSION_PERCENT,
    },
    {
      name: "displace",
      kind: "text",
      placeholder: "VALIDATOR",
      help: "whose place to take if none is free: one with at most half your stake",
    },
  ],
  examples: [
    "ostrom staking bond --registration mine.json --amount 10000 --key-file FILE",
    "ostrom staking bond --keys node --host node.example.org:30303 --name mine --amount 10000 --key-file FILE",
    "ostrom staking bond --amount 500 --key-file FILE",
  ],
  run: async (input, terminal) => {
    const { values } = input;
    const amount = readAmount(requiredText(input, "amount", "amount COINS", "how much"), "amount");
    const file = await findRegistration(input, terminal);
    if (file === undefined) {
      await ownStaker(terminal);
      return sendAndTell(
        terminal,
        stakingCall("addStake", [], amount),
        `${showCoins(amount)} coins more are at stake`,
      );
    }
    if (!equalBytes(operatorOf(file), await terminal.account()))
      throw new UsageError(`the machine describes itself for ${file.operator}: sign with that account's key`);
    const displaced =
      values["displace"] === undefined ? 0n : await numberOf(terminal, String(values["displace"]));
    const registration = registrationArgument(file, readCommission(String(values["commission"])));
    const call = stakingCall("register", [registration, displaced], amount);
    const what = `${file.name} is a validator with ${showCoins(amount)} coins at stake`;
    const exitCode = await sendAndTell(terminal, call, what);
    await tellOfGas(values["keys"] as string | undefined, terminal);
    return exitCode;
  },
};

/** A service that cannot pay reveals nothing, and its validator is never drawn. */
async function tellOfGas(folder: string | undefined, terminal: ModuleTerminal): Promise<void> {
  if (terminal.json) return;
  const own = folder === undefined ? undefined : readStakingKeys(folder)[OPERATOR_KEY];
  const account = own === undefined ? undefined : checksumAddress(addressFromHex(toHex(own)));
  if (account !== undefined && BigInt(await terminal.ask<string>("eth_getBalance", [account, "latest"])) > 0n)
    return;
  const which = account ?? "the account that ostrom staking keys FOLDER tells on the machine";
  terminal.print(
    `It is drawn only if its node can pay for gas: see that ${which} has some coins (ostrom send --to ADDRESS --value 1)`,
  );
}

async function findRegistration(
  input: CommandInput,
  terminal: ModuleTerminal,
): Promise<RegistrationFile | undefined> {
  const { values } = input;
  const path = values["registration"] as string | undefined;
  const folder = values["keys"] as string | undefined;
  if (path !== undefined && folder !== undefined)
    throw new UsageError("choose one: --registration or --keys");
  if (path !== undefined) {
    if (!existsSync(path)) throw new UsageError(`${path} is not there`);
    return readRegistration(readFileSync(path, "utf8"), path);
  }
  if (folder === undefined) return undefined;
  installNativeCrypto();
  createMissingKeys(folder);
  const operator = toHex(await terminal.account());
  return describe({ ...input, values: { ...values, operator } }, folder, terminal);
}

async function numberOf(terminal: ModuleTerminal, text: string): Promise<bigint> {
  return BigInt((await findValidator(terminal, text)).staker);
}

/** @returns parts of 10,000. */
function readCommission(text: string): number {
  const parts = Math.round(Number(text) * PARTS_OF_A_PERCENT);
  if (!/^\d{1,2}(\.\d{1,2})?$/.test(text) || parts > MAX_COMMISSION_PERCENT * PARTS_OF_A_PERCENT)
    throw new UsageError(
      `commission: expected a percentage, 0 to ${MAX_COMMISSION_PERCENT}, such as 5 or 7.25; found "${text}"`,
    );
  return parts;
}

const commission: ModuleCommand = {
  name: "commission",
  summary: "change the part of delegators' rewards that is yours; up by no more than 1 percent an epoch",
  usage: "PERCENT",
  maxPositionals: 1,
  signs: true,
  flags: [],
  examples: ["ostrom staking commission 7.5 --key-file FILE"],
  run: async ({ positionals }, terminal) => {
    const [percent] = positionals;
    if (percent === undefined) throw new UsageError("say how much, in percent: ostrom staking commission 5");
    const parts = readCommission(percent);
    await ownStaker(terminal);
    return sendAndTell(
      terminal,
      stakingCall("setCommission", [parts]),
      `the commission is ${percent} percent`,
    );
  },
};

const unjail: ModuleCommand = {
  name: "unjail",
  summary: "let your validator be drawn again after its time in jail",
  usage: "",
  signs: true,
  flags: [],
  examples: ["ostrom staking unjail --key-file FILE"],
  run: async (_input, terminal) => {
    await ownStaker(terminal);
    return sendAndTell(terminal, stakingCall("unjail"), "the validator may be drawn again");
  },
};

const rejoin: ModuleCommand = {
  name: "rejoin",
  summary: "make your validator a candidate again after others with more stake took its place",
  usage: "[--displace VALIDATOR]",
  signs: true,
  flags: [
    { name: "displace", kind: "text", placeholder: "VALIDATOR", help: "whose place to take if none is free" },
  ],
  examples: ["ostrom staking rejoin --key-file FILE"],
  run: async ({ values }, terminal) => {
    await ownStaker(terminal);
    const displaced =
      values["displace"] === undefined ? 0n : await numberOf(terminal, String(values["displace"]));
    return sendAndTell(terminal, stakingCall("rejoin", [displaced]), "the validator is a candidate again");
  },
};

const exit: ModuleCommand = {
  name: "exit",
  summary: "stop being a validator: your stake begins to unbond, its keys can never be used again",
  usage: "",
  signs: true,
  flags: [],
  examples: ["ostrom staking exit --key-file FILE"],
  run: async (_input, terminal) => {
    await ownStaker(terminal);
    return sendAndTell(
      terminal,
      stakingCall("exit"),
      "the validator is one no longer; see ostrom staking status",
    );
  },
};

const rotateKey: ModuleCommand = {
  name: "rotate-key",
  summary: "give your validator another key to vote with; the next set that is decided has it",
  usage: "FOLDER [--consensus-key KEY]",
  maxPositionals: 1,
  signs: true,
  flags: [
    {
      name: "consensus-key",
      kind: "text",
      placeholder: "KEY",
      help: "one that the folder has already (default: a new one is made)",
    },
  ],
  examples: ["ostrom staking rotate-key node --key-file FILE"],
  run: async ({ values, positionals }, terminal) => {
    const [folder] = positionals;
    if (folder === undefined)
      throw new UsageError("say which node's folder. See: ostrom staking rotate-key --help");
    installNativeCrypto();
    await ownStaker(terminal);
    const wanted = values["consensusKey"] as string | undefined;
    if (wanted === undefined) makeConsensusKey(folder, terminal);
    const { publicKey, proofOfPossession } = findConsensusKey(folder, wanted);
    const chainId = BigInt(await terminal.ask<string>("eth_chainId"));
    const consent = signConsent(folder, publicKey, chainId, await terminal.account());
    const call = stakingCall("rotateConsensusKey", [publicKey, proofOfPossession, consent].map(toHex));
    return sendAndTell(
      terminal,
      call,
      "the next set has the new key; keep the old one until then, and the node running",
    );
  },
};

function makeConsensusKey(folder: string, terminal: ModuleTerminal): void {
  let number = 2;
  while (existsSync(join(folder, "keys", `consensus-${number}.key`))) number++;
  const added = addConsensusKey(folder, String(number), (length) => new Uint8Array(randomBytes(length)));
  if (!added.ok) throw new UsageError(added.error.message);
  if (!terminal.json) terminal.print(`A new key is in ${added.value.path}, readable by you alone.`);
}

/** Of those who run validators. */
export const validatorCommands: readonly ModuleCommand[] = [
  keys,
  bond,
  commission,
  rotateKey,
  unjail,
  rejoin,
  exit,
];
