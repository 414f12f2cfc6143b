import { type Bytes, toHex, ZERO_HASH } from "@ostrom/base";
import { encodeRlp } from "@ostrom/codec";
import { keccak256 } from "@ostrom/crypto";
import { applyTransaction } from "@ostrom/execution";
import { commitState, MemoryState, StateOverlay } from "@ostrom/state";
import { blobBaseFee, type Fork, forkRules, GAS_PER_BLOB, type Step } from "@ostrom/vm";
import { generateScenario, SCENARIO_CHAIN_ID, type Scenario } from "./scenario.ts";
import { runInTheirVm } from "./their-vm.ts";
import { type VectorRun, VectorTally } from "./vector-run.ts";

/** What both engines must agree on. */
type Observed = {
  /** A fault is told from a revert by the gas it takes: they call some failing precompiles reverted. */
  readonly status: "success" | "failure" | "refused";
  readonly gasUsed: bigint;
  readonly output: string;
  readonly logs: string;
  readonly stateRoot: string;
};

/** Runs generated transactions here and in @ethereumjs/vm, and compares all that they leave.
 * @param seed of the first; the others follow.
 * @param count for each fork. */
export async function runComparison(forks: readonly Fork[], seed: number, count: number): Promise<VectorRun> {
  const tally = new VectorTally();
  for (const fork of forks) {
    for (let i = seed; i < seed + count; i++)
      tally.add(`${fork}, seed ${i}`, await compareScenario(generateScenario(fork, i)));
  }
  return tally.result();
}

/** @returns how the engines differ, or undefined. */
export async function compareScenario(scenario: Scenario): Promise<string | undefined> {
  const ours = runOurs(scenario);
  const theirs = await runTheirs(scenario);
  const differences = (Object.keys(ours) as (keyof Observed)[])
    .filter((key) => ours[key] !== theirs[key])
    .map((key) => `${key}: ours ${ours[key]}, theirs ${theirs[key]}`);
  return differences.length === 0 ? undefined : differences.join("; ");
}

/** @param onStep sees each instruction. */
export function runOurs(scenario: Scenario, onStep?: (step: Step) => void): Observed {
  const { fork, block, transaction } = scenario;
  const before = MemoryState.of(scenario.accounts);
  const state = new StateOverlay(before);
  const applied = applyTransaction(
    {
      fork,
      state,
      gasCharge: "used",
      room: { gas: block.gasLimit, blobGas: forkRules(fork).blobs.maxPerBlock * GAS_PER_BLOB },
      block: {
        ...block,
        chainId: SCENARIO_CHAIN_ID,
        blobBaseFee: blobBaseFee(fork, block.excessBlobGas),
        blockHash: () => ZERO_HASH,
      },
      ...(onStep === undefined ? {} : { onStep }),
    },
    transaction,
  );
  const stateRoot = toHex(commitState(before, state.changes()).stateRoot);
  if (!applied.ok) return refused(stateRoot);
  const { succeeded, gasUsed, output, logs } = applied.value;
  return {
    status: succeeded ? "success" : "failure",
    gasUsed,
    output: toHex(output),
    logs: hashLogs(logs.map(({ address, topics, data }) => [address, topics, data])),
    stateRoot,
  };
}

async function runTheirs(scenario: Scenario): Promise<Observed> {
  const { vm, ran } = await runInTheirVm(scenario);
  const stateRoot = toHex(await vm.stateManager.getStateRoot());
  if (ran === undefined) return refused(stateRoot);
  const { exceptionError, returnValue, logs } = ran.execResult;
  return {
    status: exceptionError === undefined ? "success" : "failure",
    gasUsed: ran.totalGasSpent,
    output: toHex(returnValue),
    logs: hashLogs(exceptionError === undefined ? (logs ?? []) : []),
    stateRoot,
  };
}

function refused(stateRoot: string): Observed {
  return { status: "refused", gasUsed: 0n, output: "0x", logs: hashLogs([]), stateRoot };
}

function hashLogs(logs: readonly (readonly [Bytes, readonly Bytes[], Bytes])[]): string {
  return toHex(keccak256(encodeRlp(logs)));
}
