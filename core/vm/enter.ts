import { type Address, type Bytes, EMPTY_BYTES } from "@ostrom/base";
import type { JournaledState } from "@ostrom/state";
import { isProgramCode } from "./contract-host/code-format.ts";
import { enterDeployment, enterProgram } from "./contract-host/enter-program.ts";
import { type Entered, faultWith, succeedWith } from "./entered.ts";
import { createFrame, type Machine } from "./frame.ts";
import { MAX_CALL_DEPTH } from "./gas-schedule.ts";
import type { FaultCode } from "./types.ts";

export { type Entered, faultWith } from "./entered.ts";

/** A message call that is about to begin: by a transaction or by one of the CALL instructions. */
export type CallRequest = {
  readonly caller: Address;
  /** Whose storage and balance the code acts on. */
  readonly address: Address;
  /** Whose code is called; a precompile if it is one's address. */
  readonly codeAddress: Address;
  /** What runs, after delegation. */
  readonly code: Bytes;
  readonly value: bigint;
  /** False for DELEGATECALL, whose value is only told. */
  readonly transfersValue: boolean;
  /** Must not change until the call has ended. */
  readonly input: Bytes;
  readonly gas: bigint;
  readonly isStatic: boolean;
  readonly depth: number;
};

export type CreateRequest = {
  readonly creator: Address;
  readonly address: Address;
  readonly value: bigint;
  readonly initCode: Bytes;
  readonly gas: bigint;
  readonly depth: number;
};

/** Why a call or creation cannot even begin: then it costs no gas beyond what the instruction itself does. */
export function refusal(
  state: JournaledState,
  payer: Address,
  value: bigint,
  depth: number,
): FaultCode | undefined {
  if (depth > MAX_CALL_DEPTH) return "vm/depth-exceeded";
  if (value > 0n && state.balance(payer) < value) return "vm/insufficient-balance";
  return undefined;
}

export function enterCall(machine: Machine, request: CallRequest): Entered {
  const { state } = machine.context;
  const refused = refusal(state, request.caller, request.transfersValue ? request.value : 0n, request.depth);
  if (refused !== undefined) return faultWith(refused, request.gas);
  const checkpoint = state.checkpoint();
  state.touch(request.address);
  if (request.transfersValue) transfer(state, request.caller, request.address, request.value);
  const result = machine.precompiles.call(request.codeAddress, request.input, request.gas);
  if (result?.ok === true) return succeedWith(result.output, request.gas - result.gasUsed);
  if (result?.ok === false) {
    state.revertTo(checkpoint);
    return faultWith("vm/precompile-failed", 0n);
  }
  if (request.code.length === 0) return succeedWith(EMPTY_BYTES, request.gas);
  if (isProgramCode(request.code)) return enterProgram(machine, request, checkpoint);
  return { kind: "frame", frame: createFrame({ ...request, kind: "call", checkpoint }) };
}

/** Begins a creation whose creator has paid, has raised its nonce, and can give the value.
 * Sources: EIP-684 and EIP-7610 (collision), EIP-161 (nonce 1), EIP-6780 (created in this transaction). */
export function enterCreate(machine: Machine, request: CreateRequest): Entered {
  const { state } = machine.context;
  const { address } = request;
  const isTaken = state.nonce(address) !== 0n || state.code(address).length > 0 || state.hasStorage(address);
  if (isTaken) return faultWith("vm/create-collision", 0n);
  const checkpoint = state.checkpoint();
  state.markCreated(address);
  state.setNonce(address, 1n);
  transfer(state, request.creator, address, request.value);
  if (isProgramCode(request.initCode)) return enterDeployment(machine, request, checkpoint);
  const frame = createFrame({
    kind: "create",
    code: request.initCode,
    address,
    caller: request.creator,
    value: request.value,
    input: EMPTY_BYTES,
    isStatic: false,
    depth: request.depth,
    checkpoint,
    gas: request.gas,
  });
  return { kind: "frame", frame };
}

function transfer(state: JournaledState, from: Address, to: Address, value: bigint): void {
  if (value === 0n) return;
  state.setBalance(from, state.balance(from) - value);
  state.setBalance(to, state.balance(to) + value);
}
