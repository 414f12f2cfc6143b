import type { MethodDescription } from "@ostrom/rpc";
import { ask } from "../../cli/rpc-client.ts";
import { signTransfers } from "../../cli/testing/load.ts";

/** What of a chain examples are asked about. */
export type StandIns = {
  readonly account: string;
  readonly transaction: string;
  readonly blockHash: string;
  readonly block: string;
  /** RLP of that block. */
  readonly rawBlock: string;
  /** A filter of logs, and one of blocks. */
  readonly filters: readonly [logs: string, blocks: string];
};

/** The newest transaction of a chain, its sender and its block. */
export async function findStandIns(url: string, account: string): Promise<StandIns> {
  const head = Number(await ask<string>(url, "eth_blockNumber"));
  type Block = { readonly hash: string; readonly number: string; readonly transactions: readonly string[] };
  for (let height = head; height >= 0; height--) {
    const block = await ask<Block>(url, "eth_getBlockByNumber", [`0x${height.toString(16)}`, false]);
    const [transaction] = block.transactions;
    if (transaction === undefined) continue;
    const filters = [
      await ask<string>(url, "eth_newFilter", [{ fromBlock: "0x0" }]),
      await ask<string>(url, "eth_newBlockFilter", []),
    ] as const;
    const rawBlock = await ask<string>(url, "debug_getRawBlock", [block.number]);
    return { account, transaction, blockHash: block.hash, block: block.number, rawBlock, filters };
  }
  throw new Error("the chain has no transaction yet");
}

const RECEIVER = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";
/** Methods that say "hash" of a block's. */
const OF_BLOCK_HASH =
  /BlockByHash|ByBlockHash|CountByHash|traceBlockByHash|BlockDetailsByHash|CountByBlockHash/;

/** Parameters that no rule finds: by the method's name. */
function ownParameters({
  account,
  block,
  rawBlock,
  filters,
}: StandIns): Readonly<Record<string, readonly unknown[]>> {
  const range = { fromBlock: block, toBlock: block };
  return {
    admin_startBackup: ["before-upgrade"],
    debug_traceBlock: [rawBlock],
    eth_feeHistory: ["0x2", "latest", [50]],
    eth_getFilterChanges: [filters[1]],
    eth_getFilterLogs: [filters[0]],
    eth_getLogs: [range],
    eth_getProof: [account, [], "latest"],
    eth_getStorageAt: [account, "0x0", "latest"],
    eth_getStorageValues: [{ [account]: ["0x0"] }, "latest"],
    eth_newFilter: [range],
    eth_sendRawTransaction: [signTransfers(2, 0, 1)[0]!.raw],
    eth_sendRawTransactionSync: [signTransfers(2, 1, 1)[0]!.raw],
    eth_simulateV1: [
      { blockStateCalls: [{ calls: [{ from: account, to: RECEIVER, value: "0x1" }] }] },
      "latest",
    ],
    eth_subscribe: ["newHeads"],
    ostrom_getFilteredBlocks: ["0x0", block],
    ostrom_getHeaders: ["0x0", "0x1"],
    ostrom_getLogs: [range],
    ots_getTransactionBySenderAndNonce: [account, "0x0"],
    rpc_authenticate: ["not-a-token"],
    web3_sha3: ["0x68656c6c6f"],
  };
}

/** What an example asks of a method: its own parameters where it has some, else what its description says. */
export function exampleParameters(
  { name, parameters }: MethodDescription,
  standIns: StandIns,
): readonly unknown[] {
  const own = ownParameters(standIns)[name];
  if (own !== undefined) return own;
  const { account, transaction, blockHash, block } = standIns;
  const standInOf = (type: string, label: string): unknown => {
    if (type.startsWith("address")) return account;
    if (type.startsWith("hash")) return OF_BLOCK_HASH.test(name) ? blockHash : transaction;
    if (type.startsWith("block number")) return block;
    if (type.startsWith("call")) return { from: account, to: RECEIVER, value: "0x1" };
    if (type.startsWith("boolean")) return false;
    if (type.startsWith("data")) return "0x";
    if (/^(?:quantity|milliseconds)/.test(type)) return label === "pageSize" ? "0xa" : "0x0";
    return "0x1";
  };
  return parameters
    .filter(({ isRequired }) => isRequired)
    .map(({ type, name: label }) => standInOf(type, label));
}
