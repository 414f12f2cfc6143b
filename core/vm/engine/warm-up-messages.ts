import { type Address, addressFromHex, type Bytes, EMPTY_BYTES, ZERO_HASH } from "@ostrom/base";
import { MemoryState, StateOverlay } from "@ostrom/state";
import type { MessageEngine } from "../message-engine.ts";
import { OP } from "../opcodes.ts";
import type { ExecutionContext, Message } from "../types.ts";

const CALLER: Address = addressFromHex(`0x${"01".repeat(20)}`);
const CONTRACT: Address = addressFromHex(`0x${"02".repeat(20)}`);
const CALLED: Address = addressFromHex(`0x${"03".repeat(20)}`);

/** Enough for V8 to optimize tier 0 and what runs around it, and 50 ms or so. */
const MESSAGES = 60;
const ROUNDS = 40;
const GAS = 500_000n;

/** Runs messages of the engine's own, on a state of their own, so that the first that somebody waits for is fast. Each is
 * another code object, and none spends enough to be compiled. */
export function warmUp(execute: MessageEngine): void {
  const code = warmingCode();
  for (let message = 0; message < MESSAGES; message++) execute(...warmingMessage(Uint8Array.from(code)));
}

function warmingMessage(code: Bytes): readonly [ExecutionContext, Message] {
  const account = { nonce: 1n, balance: 0n, storage: [] };
  const state = new StateOverlay(
    MemoryState.of([
      { ...account, address: CONTRACT, code },
      { ...account, address: CALLED, code: Uint8Array.of(OP.CALLVALUE, OP.POP) },
    ]),
  );
  state.beginTransaction();
  const block = {
    number: 1n,
    timestamp: 1n,
    coinbase: CALLER,
    gasLimit: GAS,
    baseFeePerGas: 1n,
    prevRandao: ZERO_HASH,
    blobBaseFee: 1n,
    chainId: 1n,
    blockHash: () => undefined,
  };
  const transaction = { origin: CALLER, gasPrice: 1n, blobVersionedHashes: [] };
  return [
    { fork: "osaka", block, transaction, state },
    { caller: CALLER, to: CONTRACT, value: 0n, data: EMPTY_BYTES, gas: GAS },
  ];
}

/** A loop over what contracts do most. */
function warmingCode(): Bytes {
  const push = OP.PUSH0 + 1;
  const binary = [
    OP.ADD,
    OP.MUL,
    OP.SUB,
    OP.DIV,
    OP.MOD,
    OP.LT,
    OP.GT,
    OP.EQ,
    OP.AND,
    OP.OR,
    OP.XOR,
    OP.SHL,
    OP.SHR,
  ];
  const body = [
    ...binary.flatMap((opcode) => [push, 7, push, 9, opcode, OP.POP]),
    ...[push, 5, OP.ISZERO, push, 32, OP.MSTORE, push, 32, OP.MLOAD, OP.POP],
    ...[push, 64, OP.PUSH0, OP.KECCAK256, OP.POP, OP.PUSH0, OP.CALLDATALOAD, OP.POP, OP.CALLER, OP.POP],
    ...[OP.DUP1, push, 1, OP.SSTORE, push, 1, OP.SLOAD, OP.POP],
    ...[OP.PUSH0, OP.PUSH0, OP.PUSH0, OP.PUSH0, OP.PUSH0, OP.PUSH0 + 20, ...CALLED, OP.GAS, OP.CALL, OP.POP],
  ];
  const loop = 2;
  return Uint8Array.of(
    ...[push, ROUNDS, OP.JUMPDEST, ...body],
    ...[push, 1, OP.SWAP1, OP.SUB, OP.DUP1, push, loop, OP.JUMPI, OP.STOP],
  );
}
