import { addressToWord } from "@ostrom/base";
import type { Machine } from "./frame.ts";
import { BLOCK_HASH_WINDOW, GAS } from "./gas-schedule.ts";
import { type Instruction, reading } from "./instruction.ts";
import { readWord, WORD_SIZE } from "./word.ts";

/** 0x40 to 0x46, 0x48 and 0x4a: the block that the transaction is in.
 * Sources: Yellow Paper, appendix H.2; EIP-1344 (CHAINID), 3198 (BASEFEE), 4399 (PREVRANDAO), 7516 (BLOBBASEFEE). */
export const BLOCK_INFORMATION: readonly Instruction[] = [
  {
    opcode: 0x40,
    name: "BLOCKHASH",
    gas: GAS.blockHash,
    pops: 1,
    pushes: 1,
    run: (machine, { stack }) => {
      stack.push(blockHash(machine, stack.pop()!));
    },
  },
  reading(0x41, "COINBASE", GAS.base, ({ context }) => addressToWord(context.block.coinbase)),
  reading(0x42, "TIMESTAMP", GAS.base, ({ context }) => context.block.timestamp),
  reading(0x43, "NUMBER", GAS.base, ({ context }) => context.block.number),
  reading(0x44, "PREVRANDAO", GAS.base, ({ context }) => readWord(context.block.prevRandao, 0, WORD_SIZE)),
  reading(0x45, "GASLIMIT", GAS.base, ({ context }) => context.block.gasLimit),
  reading(0x46, "CHAINID", GAS.base, ({ context }) => context.block.chainId),
  reading(0x48, "BASEFEE", GAS.base, ({ context }) => context.block.baseFeePerGas),
  reading(0x4a, "BLOBBASEFEE", GAS.base, ({ context }) => context.block.blobBaseFee),
];

/** 0 for a block that is not one of the last BLOCK_HASH_WINDOW. */
export function blockHash({ context }: Machine, number: bigint): bigint {
  const current = context.block.number;
  if (number >= current || number < current - BLOCK_HASH_WINDOW) return 0n;
  const hash = context.block.blockHash(number);
  return hash === undefined ? 0n : readWord(hash, 0, WORD_SIZE);
}
