import { type Bytes, concatBytes, wordToBytes } from "@ostrom/base";
import { MemoryState, StateOverlay } from "@ostrom/state";
import { createContractEngine, type EngineTiers } from "../../engine/index.ts";
import { assemble } from "../../testing/assemble.ts";
import { accountWith, CALLER, CONTRACT, TEST_BLOCK } from "../../testing/run-code.ts";
import { type Calibration, measureLoop, REPETITIONS, type RunProgram } from "./measure-program.ts";

const GAS = 2n ** 45n;

/** What the EVM's instructions take, for comparison. On the stack: an operand, and the count of rounds above it. */
const LOOPS: Readonly<Record<string, Bytes>> = {
  JUMPDEST: assemble("JUMPDEST"),
  ADD: assemble("DUP2", "DUP1", "ADD", "POP"),
  MUL: assemble("DUP2", "DUP1", "MUL", "POP"),
  DIV: assemble("DUP1", "DUP3", "DIV", "POP"),
  MULMOD: assemble("DUP2", 7n, "NOT", "DUP2", "DUP1", "MULMOD", "POP", "POP"),
  MLOAD: assemble(64n, "MLOAD", "POP"),
  MSTORE: assemble("DUP1", 64n, "MSTORE"),
  KECCAK256: assemble(32n, 0n, "KECCAK256", "POP"),
  SLOAD: assemble(1n, "SLOAD", "POP"),
  TLOAD: assemble(1n, "TLOAD", "POP"),
  CALLVALUE: assemble("CALLVALUE", "POP"),
};

function loopCode(body: Bytes): Bytes {
  const before = assemble(2n ** 200n + 12345n, 0n, "CALLDATALOAD", "JUMPDEST");
  const start = BigInt(before.length - 1);
  const rounds = concatBytes(...Array.from({ length: REPETITIONS }, () => body));
  return concatBytes(before, rounds, assemble(1n, "SWAP1", "SUB", "DUP1", start, "JUMPI"));
}

function benchCode(code: Bytes, tiers: EngineTiers): RunProgram {
  const engine = createContractEngine({ tiers });
  const state = new StateOverlay(MemoryState.of([accountWith({ address: CONTRACT, code })]));
  state.beginTransaction();
  const transaction = { origin: CALLER, gasPrice: 10n, blobVersionedHashes: [] };
  return (data) => {
    const count = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
    const { gasLeft } = engine.execute(
      { fork: "osaka", block: TEST_BLOCK, transaction, state },
      { caller: CALLER, to: CONTRACT, value: 0n, data: wordToBytes(BigInt(count)), gas: GAS },
    );
    return Number(GAS - gasLeft);
  };
}

export function calibrateEvm(tiers: EngineTiers): Calibration[] {
  return Object.entries(LOOPS).map(([name, body]) =>
    measureLoop(`evm ${tiers}, ${name}`, benchCode(loopCode(body), tiers)),
  );
}
