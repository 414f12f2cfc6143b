import { type Address, type Bytes, EMPTY_BYTES, wordToBytes } from "@ostrom/base";
import { passOnGas } from "./calls.ts";
import { create2Address, createAddress } from "./contract-address.ts";
import { type Entered, enterCreate, faultWith, refusal } from "./enter.ts";
import {
  charge,
  claimMemory,
  endWithFault,
  type Frame,
  gasLeft,
  type Machine,
  mayChangeState,
} from "./frame.ts";
import { GAS, MAX_INIT_CODE_SIZE, MAX_NONCE } from "./gas-schedule.ts";
import type { Instruction } from "./instruction.ts";
import { resume } from "./leave.ts";
import { readMemory } from "./memory.ts";
import { tellCreate, tellIfDone } from "./observe.ts";
import { wordCount } from "./word.ts";

/** Sources: Yellow Paper, appendix H.2; EIP-1014 (CREATE2), 150, 2681 (nonce limit), 2929, 3860 (init code). */
export const CREATES: readonly Instruction[] = [
  {
    opcode: 0xf0,
    name: "CREATE",
    gas: GAS.create,
    pops: 3,
    pushes: 1,
    run: (machine, frame) => create(machine, frame, false),
  },
  {
    opcode: 0xf5,
    name: "CREATE2",
    gas: GAS.create,
    pops: 4,
    pushes: 1,
    run: (machine, frame) => create(machine, frame, true),
  },
];

/** A creation as an instruction names it. */
export type CreateOperands = {
  readonly value: bigint;
  /** Is kept: a copy. */
  readonly initCode: Bytes;
  /** undefined: CREATE. */
  readonly salt: bigint | undefined;
};

function create(machine: Machine, frame: Frame, isSalted: boolean): void {
  const value = frame.stack.pop()!;
  const offset = frame.stack.pop()!;
  const size = frame.stack.pop()!;
  const salt = isSalted ? frame.stack.pop()! : undefined;
  if (size > initCodeLimit(machine)) {
    endWithFault(frame, "vm/init-code-too-large");
    return;
  }
  if (!claimMemory(frame, offset, size)) return;
  const initCode = readMemory(frame.memory, offset, size);
  const entered = beginCreate(machine, frame, { value, initCode, salt });
  if (entered === undefined) return;
  frame.pending = { kind: "create" };
  if (entered.kind === "frame") frame.exit = { kind: "enter", child: entered.frame };
  else resume(frame, entered.outcome);
}

function initCodeLimit({ context }: Machine): number {
  return context.codeSizeLimit === undefined ? MAX_INIT_CODE_SIZE : 2 * context.codeSizeLimit;
}

/** Charges for a creation, GAS.create and memory apart, and begins it.
 * @returns undefined if the frame may not create or does not have the gas: then the frame has ended. */
export function beginCreate(machine: Machine, frame: Frame, operands: CreateOperands): Entered | undefined {
  const { value, initCode, salt } = operands;
  if (!mayChangeState(frame)) return undefined;
  if (initCode.length > initCodeLimit(machine)) {
    endWithFault(frame, "vm/init-code-too-large");
    return undefined;
  }
  // CREATE2 hashes the init code to find the address.
  const wordGas = GAS.initCodeWord + (salt === undefined ? 0 : GAS.keccakWord);
  if (!charge(frame, wordGas * wordCount(initCode.length))) return undefined;
  frame.returnData = EMPTY_BYTES;

  const { state } = machine.context;
  const creator = frame.address;
  const nonce = state.nonce(creator);
  const depth = frame.depth + 1;
  const refused = refusal(state, creator, value, depth) ?? (nonce === MAX_NONCE ? NO_NONCE_LEFT : undefined);
  const kind = salt === undefined ? "CREATE" : "CREATE2";
  if (refused !== undefined) {
    tellCreate(machine, frame, kind, operands, undefined, 0n);
    return tellIfDone(machine, faultWith(refused, 0n));
  }
  const address = addressOf(creator, nonce, initCode, salt);
  const gas = passOnGas(frame, gasLeft(frame));
  // Neither is undone if the creation fails.
  state.setNonce(creator, nonce + 1n);
  state.warmAddress(address);
  tellCreate(machine, frame, kind, operands, address, gas);
  return tellIfDone(machine, enterCreate(machine, { creator, address, value, initCode, gas, depth }));
}

const NO_NONCE_LEFT = "vm/nonce-exhausted";

function addressOf(creator: Address, nonce: bigint, initCode: Bytes, salt: bigint | undefined): Address {
  return salt === undefined
    ? createAddress(creator, nonce)
    : create2Address(creator, wordToBytes(salt), initCode);
}
