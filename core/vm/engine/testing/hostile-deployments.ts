import { type Bytes, createRandom, type Random } from "@ostrom/base";
import { programInitCode } from "../../contract-host/code-format.ts";
import { payloadOf, ROLES, type RoleName } from "../../contract-host/testing/roles.ts";
import type { ProgramKind } from "../../contract-host/types.ts";
import type { MessageEngine } from "../../message-engine.ts";
import { hostileProgram, randomProgram } from "../../riscv/testing/random-program.ts";
import { assemble } from "../../testing/assemble.ts";
import { mutate } from "../../webassembly/testing/mutate.ts";
import { randomContract } from "../../webassembly/testing/random-contract.ts";
import {
  differenceOf,
  type HostileCase,
  hostileAddress,
  type Observed,
  observeCase,
  REFERENCE,
} from "./hostile-case.ts";

/** Files that are almost modules or almost ELF files, through all of deployment. */

const ROLE_NAMES = Object.keys(ROLES) as RoleName[];
/** Deploys its input, then calls what came of that with some gas, and returns address, status and what was returned. */
const DEPLOYER: Bytes = assemble(
  ...["CALLDATASIZE", 0n, 0n, "CALLDATACOPY", "CALLDATASIZE", 0n, 0n, "CREATE", "DUP1", 0n, "MSTORE"],
  ...[0n, 0n, 32n, 0n, 0n, "DUP6", 60_000n, "CALL", 32n, "MSTORE"],
  ...["RETURNDATASIZE", 0n, 64n, "RETURNDATACOPY", "RETURNDATASIZE", 64n, "ADD", 0n, "RETURN"],
);
const DEPLOYER_ADDRESS = hostileAddress(1);
/** Of a byte of init code: deciding whether it is valid, and storing it; then what its constructor may spend. One case of so many
 * has gas for all of it, because files that loop take the reference long. */
const VALIDATION_GAS = 12;
const STORING_GAS = 215;
const RUNNING_GAS = 60_000;
const STORING_SHARE = 4;
/** So many of a file's mutants come one after the other. */
export const MUTANTS_EACH = 50;

function validFile(random: Random, kind: ProgramKind): Bytes {
  if (random.chance(1, 3)) {
    const roles = ROLE_NAMES.filter((role) => role !== "burn");
    return payloadOf(roles[random.below(roles.length)]!, kind);
  }
  if (kind === "webassembly") return randomContract(random);
  const seed = random.nextUint32();
  return random.chance(2, 3) ? randomProgram(seed) : hostileProgram(seed);
}

/** Of the file, or, one time of ten, of the init code; now and then the end is missing too. */
function mutantOf(random: Random, kind: ProgramKind, file: Bytes): Bytes {
  const isHeader = random.chance(1, 10);
  let mutant = isHeader ? file : mutate(file, random);
  if (random.chance(1, 15)) mutant = mutant.subarray(0, random.below(mutant.length));
  const initCode = programInitCode(kind, mutant, random.bytes(random.below(40)));
  if (!isHeader) return initCode;
  initCode[random.below(7)] = random.below(256);
  return initCode;
}

/** The cases of a seed: mutants of one file, by a creating transaction and by a contract that creates, in turn. */
export function deploymentCases(seed: number, count: number = MUTANTS_EACH): HostileCase[] {
  const random = createRandom(seed);
  const kind: ProgramKind = seed % 2 === 0 ? "webassembly" : "riscv";
  const file = validFile(random, kind);
  return Array.from({ length: count }, (_, index): HostileCase => {
    const data = mutantOf(random, kind, file);
    const isByTransaction = index % 2 === 0;
    const byteGas = random.chance(1, STORING_SHARE) ? STORING_GAS : VALIDATION_GAS;
    return {
      name: `${kind} file ${seed}, mutant ${index}`,
      contracts: [[DEPLOYER_ADDRESS, DEPLOYER]],
      to: isByTransaction ? "create" : DEPLOYER_ADDRESS,
      data,
      gas: BigInt(byteGas * data.length + RUNNING_GAS + (isByTransaction ? 0 : 40_000)),
    };
  });
}

export type DeploymentCounts = { files: number; deployed: number };

/** @returns how an engine differs from the reference over the mutants of a seed, or undefined. */
export function deploymentDifference(
  engines: ReadonlyMap<string, MessageEngine>,
  seed: number,
  counts: DeploymentCounts,
  mutants: number = MUTANTS_EACH,
): string | undefined {
  for (const hostile of deploymentCases(seed, mutants)) {
    const expected = observeCase(REFERENCE, hostile);
    counts.files++;
    if (isDeployed(hostile, expected)) counts.deployed++;
    for (const [name, execute] of engines) {
      const difference = differenceOf(expected, observeCase(execute, hostile));
      if (difference !== undefined) return `${hostile.name}, ${name}: ${difference}`;
    }
  }
  return undefined;
}

function isDeployed({ to }: HostileCase, { status, output }: Observed): boolean {
  return status === "success" && (to === "create" || !output.startsWith(`0x${"0".repeat(64)}`));
}
