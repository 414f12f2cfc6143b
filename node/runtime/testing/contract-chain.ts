import { type Bytes, concatBytes } from "@ostrom/base";
import { addressOfSecretKey, type SignedTransaction } from "@ostrom/execution";
import { createMemoryStore } from "@ostrom/storage";
import { createAddress } from "@ostrom/vm";
import { assemble } from "../../../core/vm/testing/assemble.ts";
import type { ExecutionReport } from "../execution-port.ts";
import { Executor } from "../executor.ts";
import { OrderedChain } from "./ordered-chain.ts";
import { clientKey, simulatedTransfer } from "./simulated-genesis.ts";

export const CONTRACT_CHAIN_HISTORY = 16;
const GAS = 3_000_000n;
const ROUNDS = 20_000n;

/** Hashes its memory again and again, calls itself once, and keeps what came of it in slots 0 and 1. */
function contract(): Bytes {
  const loop = 3n;
  return assemble(
    ...[ROUNDS, "JUMPDEST", 64n, 0n, "KECCAK256", 0n, "MSTORE", 1n, "SWAP1", "SUB", "DUP1", loop, "JUMPI"],
    ...[0n, "SLOAD", 1n, "ADD", 0n, "SSTORE", 0n, "MLOAD", 1n, "SSTORE", 32n, 0n, "LOG0"],
    ...[0n, 0n, 0n, 0n, 0n, "ADDRESS", 1_000n, "CALL", 2n, "SSTORE"],
  );
}

/** Deploys code of up to 255 bytes. */
function deployerOf(code: Bytes): Bytes {
  const size = BigInt(code.length);
  const header = 12n;
  const start = assemble(size, "DUP1", header, 0n, "CODECOPY", 0n, "RETURN");
  return concatBytes(start, new Uint8Array(Number(header) - start.length), code);
}

/** Blocks of a contract's creation, of calls to it, and of transfers that are skipped. */
export function contractChain(blocks: number): OrderedChain {
  const chain = new OrderedChain(undefined, { isSigned: false });
  const to = createAddress(addressOfSecretKey(clientKey(0)), 0n);
  chain.append([send(0, { to: undefined, data: deployerOf(contract()) })]);
  for (let nonce = 1; nonce < blocks; nonce++) {
    chain.append([send(nonce, { to }), simulatedTransfer(1, 1_000 + nonce)]);
  }
  return chain;
}

function send(nonce: number, fields: Parameters<typeof simulatedTransfer>[2]): SignedTransaction {
  return simulatedTransfer(0, nonce, { value: 0n, gasLimit: GAS, ...fields });
}

/** What an executor that nobody disturbs reports of all blocks, with the engine that is installed. */
export async function executeAll(chain: OrderedChain): Promise<readonly ExecutionReport[]> {
  const executor = await Executor.open(createMemoryStore(), chain.genesis, CONTRACT_CHAIN_HISTORY);
  const reports: ExecutionReport[] = [];
  for (let height = 1; height <= chain.blocks.length; height++) {
    reports.push(await executor.execute(chain.inputOf(height)));
  }
  return reports;
}
