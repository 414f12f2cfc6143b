import type { Hash } from "@ostrom/base";
import { chargeAccountAccess } from "../access.ts";
import type { Frame, Machine } from "../frame.ts";
import { BLOCK_HASH_WINDOW } from "../gas-schedule.ts";
import { OP } from "../opcodes.ts";
import { FRAME, OPERANDS } from "../runtime/memory-layout.ts";
import type { AddressBook } from "./address-book.ts";
import type { Arena } from "./arena.ts";

// Instructions that code in tiers has the host run, as in environment.ts and block-information.ts, for which making bigints
// would take longer than their gas pays for.

const WINDOW = Number(BLOCK_HASH_WINDOW);

/** Hashes of blocks that a message has asked for, by number. */
export type BlockHashes = Map<number, Hash | undefined>;

export type TierHost = {
  readonly arena: Arena;
  readonly book: AddressBook;
  readonly blockHashes: BlockHashes;
};

/** Runs an instruction whose operand is in OPERANDS, by a frame whose `gas` is what is left, and leaves the result there; or
 * ends the frame.
 * @param at where the frame is laid.
 * @returns false if it has done nothing, because the instruction is another. */
export function runTierInstruction(
  machine: Machine,
  frame: Frame,
  opcode: number,
  at: number,
  host: TierHost,
): boolean {
  switch (opcode) {
    case OP.BALANCE:
    case OP.EXTCODESIZE:
    case OP.EXTCODEHASH:
      readAccount(machine, frame, opcode, host);
      return true;
    case OP.SELFBALANCE:
      readOwnBalance(machine, frame, at, host.arena);
      return true;
    case OP.BLOCKHASH:
      return readBlockHash(machine, host);
    default:
      return false;
  }
}

function readAccount(machine: Machine, frame: Frame, opcode: number, { arena, book }: TierHost): void {
  const { address } = book.read(arena, OPERANDS);
  if (!chargeAccountAccess(machine, frame, address)) return;
  const { state } = machine.context;
  if (opcode === OP.BALANCE) arena.setWord(OPERANDS, state.balance(address));
  else if (opcode === OP.EXTCODESIZE) arena.setSmallWord(OPERANDS, state.code(address).length);
  else setHash(arena, state.isEmpty(address) ? undefined : state.codeHash(address));
}

/** Stays true until the frame calls: the frame finds it in its header the next time. */
function readOwnBalance({ context }: Machine, frame: Frame, at: number, arena: Arena): void {
  arena.setWord(at + FRAME.balance, context.state.balance(frame.address));
  arena.setNumber(at + FRAME.balanceIsKnown, 1);
}

function readBlockHash({ context: { block } }: Machine, { arena, blockHashes }: TierHost): boolean {
  const current = Number(block.number);
  if (!Number.isSafeInteger(current)) return false;
  const number = arena.count(OPERANDS);
  if (number >= current || number < current - WINDOW) {
    arena.setSmallWord(OPERANDS, 0);
    return true;
  }
  let hash = blockHashes.get(number);
  if (hash === undefined) {
    hash = block.blockHash(BigInt(number));
    blockHashes.set(number, hash);
  }
  setHash(arena, hash);
  return true;
}

/** @param hash undefined: 0. */
function setHash(arena: Arena, hash: Hash | undefined): void {
  if (hash === undefined) arena.setSmallWord(OPERANDS, 0);
  else arena.setWordBytes(OPERANDS, hash);
}
