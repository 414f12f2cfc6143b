import { addressFromHex, fromHex, toHex, unwrap, ZERO_HASH } from "@ostrom/base";
import { createExecutionTracer, type ExecutionTrace, TraceBudget } from "@ostrom/execution";
import { MemoryState, StateOverlay } from "@ostrom/state";
import { type BlockContext, executeInReference } from "@ostrom/vm";
import type { Hex } from "viem";
import { type CompiledFailures, caseData, DEPLOYED } from "./compile-failures.ts";
import type { FailureCase } from "./failure-cases.ts";

/** The first development account, which Hardhat's network sends from too: its address is part of an error's arguments. */
const CALLER = addressFromHex("f39fd6e51aad88f6f4ce6ab8827279cfffb92266");
const CALLER_BALANCE = 10n ** 21n;
const GAS_OF_DEPLOYMENT = 15_000_000n;
const GAS_OF_CASE = 2_900_000n;
const TRACE_BYTES = 256 * 1024 * 1024;

const BLOCK: BlockContext = {
  number: 1n,
  timestamp: 1_700_000_000n,
  coinbase: addressFromHex("cb".repeat(20)),
  gasLimit: 30_000_000n,
  baseFeePerGas: 0n,
  prevRandao: ZERO_HASH,
  blobBaseFee: 1n,
  chainId: 31_337n,
  blockHash: () => ZERO_HASH,
};

/** A state in which the contracts of Failures.sol are deployed. */
export type FailureState = {
  readonly addresses: ReadonlyMap<string, Hex>;
  readonly run: (item: FailureCase) => ExecutionTrace;
};

export function deployFailures(compiled: CompiledFailures): FailureState {
  const account = {
    address: CALLER,
    nonce: 1n,
    balance: CALLER_BALANCE,
    code: new Uint8Array(),
    storage: [],
  };
  const state = new StateOverlay(MemoryState.of([account]));
  const addresses = new Map<string, Hex>();
  const send = (to: Hex | undefined, data: Hex, value: bigint, gas: bigint) => {
    state.beginTransaction();
    state.setNonce(CALLER, state.nonce(CALLER) + 1n);
    const tracer = createExecutionTracer(new TraceBudget(TRACE_BYTES));
    const outcome = executeInReference(
      {
        fork: "osaka",
        block: BLOCK,
        transaction: { origin: CALLER, gasPrice: 0n, blobVersionedHashes: [] },
        state,
        observer: tracer.observer,
        ...(tracer.onStep === undefined ? {} : { onStep: tracer.onStep }),
      },
      {
        caller: CALLER,
        to: to === undefined ? undefined : addressFromHex(to.slice(2)),
        value,
        data: unwrap(fromHex(data)),
        gas,
      },
    );
    return { outcome, trace: tracer.trace() };
  };
  for (const [contract, values] of DEPLOYED) {
    const data = caseData(compiled, { contract, isCreation: true, arguments: values }, addresses);
    const { created } = send(undefined, data, 0n, GAS_OF_DEPLOYMENT).outcome;
    if (created === undefined) throw new Error(`${contract} was not deployed`);
    addresses.set(contract, toHex(created) as Hex);
  }
  const run = (item: FailureCase): ExecutionTrace => {
    const to = item.isCreation === true ? undefined : addresses.get(item.contract);
    return send(to, caseData(compiled, item, addresses), item.value ?? 0n, item.gas ?? GAS_OF_CASE).trace;
  };
  return { addresses, run };
}
