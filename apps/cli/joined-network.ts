import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toHex } from "@ostrom/base";
import { genesisHash } from "@ostrom/execution";
import {
  assembleGenesis,
  type GenesisPlan,
  type ModuleParticipant,
  participantFingerprint,
  readParticipant,
} from "@ostrom/runtime";
import { UsageError } from "./command.ts";
import { describeServiceAccounts } from "./network-profile.ts";

const GENESIS_FILE = "genesis.json";

/** Makes the genesis of a network of machines that have made their keys for themselves, each told of by a file.
 * @returns the exit code. @throws UsageError. */
export function joinNetwork(
  plan: GenesisPlan,
  descriptions: readonly string[],
  out: string,
  json: boolean,
): number {
  // The order in which files are named must not matter: everybody shall get the same genesis. By name, so that people know which
  // organisation is the first one, to which a module may give more than to the others.
  const participants = descriptions.map(readDescription).sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  const path = join(out, GENESIS_FILE);
  if (existsSync(path)) throw new UsageError(`${path} is there already: choose another folder with --out`);
  const assembled = assembleGenesis(plan, participants);
  if (!assembled.ok) throw new UsageError(assembled.error.message);
  const { genesis, document } = assembled.value;
  const hash = toHex(genesisHash(genesis));
  mkdirSync(out, { recursive: true, mode: 0o700 });
  writeFileSync(path, `${JSON.stringify(document, undefined, 2)}\n`);
  if (json) {
    const validators = participants.map((participant) => ({
      name: participant.name,
      organisation: participant.organisation,
      fingerprint: participantFingerprint(participant),
    }));
    console.log(
      JSON.stringify({ path, hash, timestampMs: plan.timestampMs, chainId: plan.chainId, validators }),
    );
    return 0;
  }
  console.log(describe(path, hash, plan, participants));
  return 0;
}

/** No name has the character that stands between. */
function orderOf({ organisation, name, transportKey }: ModuleParticipant): string {
  return [organisation, name, toHex(transportKey)].join(" ");
}

function describe(
  path: string,
  hash: string,
  { chainId, timestampMs, modules }: GenesisPlan,
  participants: readonly ModuleParticipant[],
): string {
  const width = Math.max(...participants.map(({ name }) => name.length));
  return [
    `Chain ${chainId} begins with ${participants.length} validators; its genesis is in ${path}:`,
    ...participants.map(
      (participant) =>
        `  ${participant.name.padEnd(width)}  ${participantFingerprint(participant)}  ${participant.organisation}, ` +
        `${participant.host}:${participant.port}`,
    ),
    ...describeServiceAccounts(modules),
    "",
    "Compare the fingerprints with what each operator's machine has shown: they stand for all keys and addresses.",
    `Genesis hash  ${hash}`,
    `Others get the same from the same files with the same flags and --timestamp-ms ${timestampMs}.`,
    "",
    "It holds no secret. Copy it into each machine's folder (the one of ostrom keys create), and there:",
    "  ostrom run --data-dir DIR",
  ].join("\n");
}

function readDescription(path: string): ModuleParticipant {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    throw new UsageError(`--join ${path}: it is no JSON; ask for the file that ostrom keys create wrote`);
  }
  const read = readParticipant(json);
  if (!read.ok) throw new UsageError(`--join ${path}: ${read.error.message}`);
  return read.value;
}
