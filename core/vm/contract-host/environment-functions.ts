import type { Address } from "@ostrom/base";
import { chargeAccountAccess } from "../access.ts";
import { blockHash } from "../block-information.ts";
import { blobHash, codeHashOf } from "../environment.ts";
import { GAS } from "../gas-schedule.ts";
import type { ExecutionContext } from "../types.ts";
import { readWord, WORD_SIZE } from "../word.ts";
import {
  answerBytes,
  answerWord,
  type Crossing,
  copyOut,
  type HostFunction,
  type HostFunctions,
  longOperand,
  numberOperand,
  readAddress,
} from "./border.ts";
import { copyTarget } from "./message-functions.ts";

/** Accounts, the transaction and the block. */
export const ENVIRONMENT_FUNCTIONS: HostFunctions = {
  balance: {
    gas: GAS.zero,
    run: (crossing) =>
      withAccount(crossing, (address) =>
        answerWord(crossing, 1, crossing.machine.context.state.balance(address)),
      ),
  },
  code_size: {
    gas: GAS.zero,
    run: (crossing) =>
      withAccount(crossing, (address) => crossing.machine.context.state.code(address).length),
  },
  code_hash: {
    gas: GAS.zero,
    run: (crossing) =>
      withAccount(crossing, (address) =>
        answerWord(crossing, 1, codeHashOf(crossing.machine.context, address)),
      ),
  },
  code_copy: {
    gas: GAS.zero,
    run: (crossing) =>
      withAccount(crossing, (address) => {
        const code = crossing.machine.context.state.code(address);
        return copyOut(crossing, copyTarget(crossing, 1), code, GAS.copyWord);
      }),
  },
  origin: {
    gas: GAS.base,
    run: (crossing) => answerBytes(crossing, 0, crossing.machine.context.transaction.origin),
  },
  gas_price: answering(({ transaction }) => transaction.gasPrice),
  blob_hash: {
    gas: GAS.blobHash,
    run: (crossing) =>
      answerWord(crossing, 1, blobHash(crossing.machine.context, numberOperand(crossing, 0))),
  },
  block_number: returning(({ block }) => block.number),
  timestamp: returning(({ block }) => block.timestamp),
  gas_limit: returning(({ block }) => block.gasLimit),
  chain_id: returning(({ block }) => block.chainId),
  coinbase: {
    gas: GAS.base,
    run: (crossing) => answerBytes(crossing, 0, crossing.machine.context.block.coinbase),
  },
  prev_randao: answering(({ block }) => readWord(block.prevRandao, 0, WORD_SIZE)),
  base_fee: answering(({ block }) => block.baseFeePerGas),
  blob_base_fee: answering(({ block }) => block.blobBaseFee),
  block_hash: {
    gas: GAS.blockHash,
    run: (crossing) => answerWord(crossing, 1, blockHash(crossing.machine, longOperand(crossing, 0))),
  },
};

/** Reaches the account whose address the first operand points to. @returns 0 if the frame has ended. */
function withAccount(crossing: Crossing, run: (address: Address) => number): number {
  const address = readAddress(crossing, 0);
  if (address === undefined || !chargeAccountAccess(crossing.machine, crossing.frame, address)) return 0;
  return run(address);
}

function answering(read: (context: ExecutionContext) => bigint): HostFunction {
  return { gas: GAS.base, run: (crossing) => answerWord(crossing, 0, read(crossing.machine.context)) };
}

/** The low 64 bits: no chain has more. */
function returning(read: (context: ExecutionContext) => bigint): HostFunction {
  return { gas: GAS.base, run: ({ machine }) => BigInt.asUintN(64, read(machine.context)) };
}
