import { type Bytes, concatBytes, type Random } from "@ostrom/base";
import { HOST_CALLS, OP } from "@ostrom/vm";
import type { HostCallName } from "../../core/vm/contract-host/host-calls.ts";
import {
  asRiscv,
  asWebAssembly,
  host,
  type Operand,
  type Step,
  variable,
  WORK_AREA,
} from "../../core/vm/contract-host/testing/portable-program.ts";
import { hostileProgram, randomProgram } from "../../core/vm/riscv/testing/random-program.ts";
import { randomContract } from "../../core/vm/webassembly/testing/random-contract.ts";
import { CodeWriter, pick } from "./code-writer.ts";
import { beginCase, caseOf, contractAddress, type EngineCase } from "./engine-case.ts";
import { callingCode } from "./stateful-families.ts";

/** Families of contracts in WebAssembly and RISC-V, which call each other and the EVM's. */

const CONTRACT_COUNT = 4;
const VARIABLES = 8;

// Where programs keep what their host calls name.
const ADDRESSES = WORK_AREA;
const ADDRESS_STRIDE = 32;
const ADDRESS_COUNT = CONTRACT_COUNT + 2;
const KEYS = WORK_AREA + 0x400;
const KEY_COUNT = 3;
const INIT_CODE = WORK_AREA + 0x600;
const SCRATCH = WORK_AREA + 0x1000;
const SCRATCH_BYTES = 512;
/** Never written. */
const ZEROS = WORK_AREA + 0x4000;
const OUTSIDE_MEMORY = 0x4_0000;

/** What a program does only now and then, because little comes after it. */
const RARE: readonly HostCallName[] = ["exit", "self_destruct"];
const CALLS: readonly HostCallName[] = ["call", "delegate_call", "static_call"];
/** A RISC-V program's alone. */
const NOT_PORTABLE: readonly HostCallName[] = ["memory_grow"];
const COMMON: readonly HostCallName[] = [
  ...CALLS,
  ...CALLS,
  ...CALLS,
  "storage_load",
  "storage_store",
  "storage_store",
  "return_data_copy",
  "gas_left",
  "create",
  "create2",
];

function storeBytes(at: number, bytes: Bytes): Step[] {
  return [...bytes].flatMap((byte, index): Step[] =>
    byte === 0 ? [] : [{ do: "storeByte", at: at + index, a: byte }],
  );
}

/** Addresses of all contracts, of a precompile and of nobody; slots; and code to create contracts of. */
function prepare(random: Random): Step[] {
  const steps: Step[] = [];
  for (let index = 0; index < CONTRACT_COUNT; index++) {
    steps.push(...storeBytes(ADDRESSES + ADDRESS_STRIDE * index, contractAddress(index)));
  }
  const precompile = ADDRESSES + ADDRESS_STRIDE * CONTRACT_COUNT;
  steps.push({ do: "storeByte", at: precompile + 19, a: 1 + random.below(10) });
  for (let index = 0; index < KEY_COUNT; index++) {
    steps.push({ do: "storeByte", at: KEYS + 32 * index + 31, a: random.below(4) });
  }
  const initCode = new CodeWriter().push(random.below(300)).push(random.below(3)).emit(OP.SSTORE);
  initCode
    .push(random.below(40))
    .push(0)
    .emit(pick(random, [OP.RETURN, OP.RETURN, OP.REVERT, OP.SELFDESTRUCT]));
  steps.push(...storeBytes(INIT_CODE, initCode.bytes()));
  return steps;
}

function operandFor(random: Random, name: string): Operand {
  if (random.chance(1, 150)) return pick(random, [OUTSIDE_MEMORY, -1, variable(random.below(VARIABLES))]);
  const scratch = SCRATCH + random.below(SCRATCH_BYTES);
  switch (name) {
    case "address":
    case "beneficiary":
      return ADDRESSES + ADDRESS_STRIDE * random.below(ADDRESS_COUNT);
    case "key":
    case "salt":
      return KEYS + 32 * random.below(KEY_COUNT);
    case "value":
      return pick(random, [ZEROS, ZEROS, ZEROS, KEYS + 32 * random.below(KEY_COUNT), scratch]);
    case "code":
      return random.chance(1, 6) ? scratch : INIT_CODE;
    case "gas":
      return pick(random, [-1, -1, -1, 0, 2300, 30_000, 200_000]);
    case "status":
      return random.below(3);
    case "topic_count":
      return random.below(random.chance(1, 10) ? 6 : 4);
    case "size":
      return pick(random, [0, 1, 20, 32, 33, 64, 100, SCRATCH_BYTES]);
    case "offset":
      return pick(random, [0, 0, 0, 1, 31, 64]);
    case "index":
    case "number":
      return pick(random, [0, 1, 998, 999, 1000, -1]);
    default:
      return scratch;
  }
}

function hostStep(random: Random): Step {
  const all = HOST_CALLS.filter(({ name }) => !RARE.includes(name) && !NOT_PORTABLE.includes(name));
  const name = random.chance(1, 40)
    ? pick(random, RARE)
    : random.chance(1, 2)
      ? pick(random, COMMON)
      : pick(random, all).name;
  const call = HOST_CALLS.find((candidate) => candidate.name === name)!;
  const operands = call.parameters.map((parameter) => operandFor(random, parameter.name));
  // How much was returned is seldom known before: what is copied is mostly what there is.
  if (name === "return_data_copy" && random.chance(3, 4)) operands.splice(1, 2, 0, 0);
  return call.result === "nothing" ? host(name, operands) : host(name, operands, random.below(VARIABLES));
}

function step(random: Random): Step {
  const into = random.below(VARIABLES);
  const operand = (): Operand =>
    random.chance(2, 3) ? variable(random.below(VARIABLES)) : (random.nextUint32() >> random.below(32)) | 0;
  switch (random.below(8)) {
    case 0:
      return { do: pick(random, ["add", "subtract", "multiply"] as const), into, a: operand(), b: operand() };
    case 1:
      return { do: "isZero", into, a: operand() };
    case 2:
      return { do: "loadByte", into, at: SCRATCH + random.below(SCRATCH_BYTES) };
    case 3:
      return { do: "storeByte", at: SCRATCH + random.below(SCRATCH_BYTES), a: variable(into) };
    default:
      return hostStep(random);
  }
}

/** A program that asks much of the host; its memory, with the results in it, is what it returns. */
function hostHeavySteps(random: Random): { readonly steps: Step[]; readonly exit: number } {
  const steps = prepare(random);
  const count = 4 + random.below(20);
  for (let i = 0; i < count; i++) steps.push(step(random));
  for (let index = 0; index < VARIABLES; index++) {
    steps.push({ do: "storeByte", at: SCRATCH + index, a: variable(index) });
  }
  steps.push(host("output", [SCRATCH, SCRATCH_BYTES]));
  return { steps, exit: pick(random, [0, 0, 0, 0, 0, 0, 1, 2]) };
}

function deployed(kind: 1 | 2, file: Bytes): Bytes {
  return concatBytes(Uint8Array.of(0xef, 0x0a, kind), file);
}

function hostHeavy(random: Random, kind: 1 | 2): Bytes {
  const program = hostHeavySteps(random);
  return deployed(kind, kind === 1 ? asWebAssembly(program) : asRiscv(program));
}

/** Any contract of any kind. */
function anyContract(random: Random): Bytes {
  switch (random.below(8)) {
    case 0:
    case 1:
      return callingCode(random);
    case 2:
      return deployed(1, randomContract(random));
    case 3:
      return deployed(
        2,
        random.chance(3, 4) ? randomProgram(random.nextUint32()) : hostileProgram(random.nextUint32()),
      );
    default:
      return hostHeavy(random, random.chance(1, 2) ? 1 : 2);
  }
}

/** Programs take the reference long: less gas than the EVM's families have. */
const PROGRAM_GAS = [60_000, 250_000, 800_000];

function programCase(seed: number, make: (random: Random, index: number) => Bytes): EngineCase {
  const { random, fork } = beginCase(seed);
  const codes = Array.from({ length: CONTRACT_COUNT }, (_, index) => make(random, index));
  return caseOf(random, fork, codes, pick(random, PROGRAM_GAS) + random.below(3000));
}

/** The same seed gives the same case for ever. */
export const PROGRAM_FAMILIES: Readonly<Record<string, (seed: number) => EngineCase>> = {
  "all-kinds": (seed) => programCase(seed, anyContract),
  "webassembly-hosts": (seed) => programCase(seed, (random) => hostHeavy(random, 1)),
  "riscv-hosts": (seed) => programCase(seed, (random) => hostHeavy(random, 2)),
  webassembly: (seed) =>
    programCase(seed, (random, index) =>
      index === 0 ? callingCode(random) : deployed(1, randomContract(random)),
    ),
  riscv: (seed) =>
    programCase(seed, (random, index) => {
      if (index === 0) return callingCode(random);
      const programSeed = random.nextUint32();
      return deployed(2, random.chance(1, 2) ? randomProgram(programSeed) : hostileProgram(programSeed));
    }),
};
