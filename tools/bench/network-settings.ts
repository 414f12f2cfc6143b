import { parseArgs } from "node:util";
import { SUITE_NAMES, type SuiteName } from "@ostrom/execution";
import { ANVIL_MODES, type AnvilMode } from "./foreign-peers.ts";
import type { Kind } from "./workload.ts";

export type NetworkSettings = {
  readonly validators: number;
  readonly kind: Kind;
  readonly vs: "anvil" | "hardhat" | undefined;
  readonly anvilMode: AnvilMode | "auto";
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly rate: number | undefined;
  readonly profile: boolean;
  readonly engine: string;
  readonly suite: SuiteName;
  /** With the explorer and its index beside, as `ostrom up` starts them. */
  readonly console: boolean;
  readonly signatureCheck: "all" | "minority" | undefined;
  readonly inFlight: number;
  /** Of the other program; undefined: what suits it best. */
  readonly otherInFlight: number | undefined;
  readonly lanes: number;
  readonly batch: number;
  readonly senders: number;
  readonly signed: number;
};

const KINDS = ["transfer", "erc20"] as const;
const PEERS = ["anvil", "hardhat"] as const;
const SIGNATURE_CHECKS = ["all", "minority"] as const;
const DEFAULT_ROUNDS = 3;

/** @throws with the flag that cannot be. */
export function readNetworkSettings(argv: readonly string[]): NetworkSettings {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      validators: { type: "string", default: "4" },
      kind: { type: "string", default: "transfer" },
      vs: { type: "string" },
      "anvil-mode": { type: "string", default: "auto" },
      rounds: { type: "string" },
      seconds: { type: "string", default: "8" },
      "warm-up": { type: "string", default: "4" },
      rate: { type: "string" },
      profile: { type: "boolean", default: false },
      engine: { type: "string", default: "mixed" },
      suite: { type: "string", default: "ethereum" },
      console: { type: "boolean", default: false },
      "signature-check": { type: "string" },
      "in-flight": { type: "string", default: "2000" },
      "other-in-flight": { type: "string" },
      lanes: { type: "string" },
      batch: { type: "string", default: "100" },
      senders: { type: "string", default: "200" },
      signed: { type: "string", default: "80000" },
    },
  });
  const validators = Number(values.validators);
  const vs = values.vs === undefined ? undefined : oneOf("vs", PEERS, values.vs);
  return {
    validators,
    kind: oneOf("kind", KINDS, values.kind),
    vs,
    anvilMode: oneOf("anvil-mode", ["auto", ...ANVIL_MODES], values["anvil-mode"]),
    rounds: values.rounds === undefined ? (vs === undefined ? 1 : DEFAULT_ROUNDS) : Number(values.rounds),
    seconds: Number(values.seconds),
    warmUpSeconds: Number(values["warm-up"]),
    rate: values.rate === undefined ? undefined : Number(values.rate),
    profile: values.profile,
    engine: values.engine,
    suite: oneOf("suite", SUITE_NAMES, values.suite),
    console: values.console,
    signatureCheck:
      values["signature-check"] === undefined
        ? undefined
        : oneOf("signature-check", SIGNATURE_CHECKS, values["signature-check"]),
    inFlight: Number(values["in-flight"]),
    otherInFlight: values["other-in-flight"] === undefined ? undefined : Number(values["other-in-flight"]),
    // A connection for each validator at least; as many for a peer that is one process.
    lanes: values.lanes === undefined ? Math.max(4, validators) : Number(values.lanes),
    batch: Number(values.batch),
    senders: Number(values.senders),
    signed: Number(values.signed),
  };
}

function oneOf<const T extends string>(flag: string, choices: readonly T[], value: string): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined)
    throw new Error(`--${flag}: expected one of ${choices.join(", ")}, found ${value}`);
  return found;
}
