import { type Address, type Bytes, EMPTY_BYTES, wordToBytes } from "@ostrom/base";
import { passOnGas } from "./calls.ts";
import { create2Address, createAddress } from "./contract-address.ts";
import { enterCreate, refusal } from "./enter.ts";
import { charge, claimMemory, endWithFault, type Frame, gasLeft, type Machine } from "./frame.ts";
import { GAS, MAX_INIT_CODE_SIZE, MAX_NONCE } from "./gas-schedule.ts";
import type { Instruction } from "./instruction.ts";
import { resume } from "./leave.ts";
import { readMemory } from "./memory.ts";
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

function create(machine: Machine, frame: Frame, isSalted: boolean): void {
  const value = frame.stack.pop()!;
  const offset = frame.stack.pop()!;
  const size = frame.stack.pop()!;
  const salt = isSalted ? frame.stack.pop()! : undefined;
  if (frame.isStatic) {
    endWithFault(frame, "vm/static-violation");
    return;
  }
  if (size > MAX_INIT_CODE_SIZE) {
    endWithFault(frame, "vm/init-code-too-large");
    return;
  }
  if (!claimMemory(frame, offset, size)) return;
  // CREATE2 hashes the init code to find the address.
  const wordGas = GAS.initCodeWord + (isSalted ? GAS.keccakWord : 0);
  if (!charge(frame, wordGas * wordCount(Number(size)))) return;
  frame.returnData = EMPTY_BYTES;
  createFrom(machine, frame, value, readMemory(frame.memory, offset, size), salt);
}

function createFrom(
  machine: Machine,
  frame: Frame,
  value: bigint,
  initCode: Bytes,
  salt: bigint | undefined,
): void {
  const { state } = machine.context;
  const creator = frame.address;
  const nonce = state.nonce(creator);
  const depth = frame.depth + 1;
  if (refusal(state, creator, value, depth) !== undefined || nonce === MAX_NONCE) {
    frame.stack.push(0n);
    return;
  }
  const address = addressOf(creator, nonce, initCode, salt);
  const gas = passOnGas(frame, gasLeft(frame));
  // Neither is undone if the creation fails.
  state.setNonce(creator, nonce + 1n);
  state.warmAddress(address);
  frame.pending = { kind: "create" };
  const entered = enterCreate(machine, { creator, address, value, initCode, gas, depth });
  if (entered.kind === "frame") frame.exit = { kind: "enter", child: entered.frame };
  else resume(frame, entered.outcome);
}

function addressOf(creator: Address, nonce: bigint, initCode: Bytes, salt: bigint | undefined): Address {
  return salt === undefined
    ? createAddress(creator, nonce)
    : create2Address(creator, wordToBytes(salt), initCode);
}
