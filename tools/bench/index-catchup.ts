import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { LogAnswer } from "../../apps/indexer/chain-answers.ts";
import { createChainSource } from "../../apps/indexer/chain-source.ts";
import { follow } from "../../apps/indexer/follower.ts";
import { openDatabase } from "../../apps/indexer/open-database.ts";
import {
  addressOf,
  type SimulatedTransaction,
  startSimulatedChain,
  transferLog,
} from "../../apps/indexer/testing/simulated-chain.ts";
import { emptyTables } from "../../apps/indexer/testing/tables.ts";

const ACCOUNTS = 1_000;
const TOKEN = addressOf(5_000);
/** What a call of transfer(address,uint256) has for input. */
const CALL = `0xa9059cbb${"0".repeat(128)}`;

/** How many transactions a second the index takes while it catches up: npm run bench -- index [--database postgres://...] [--blocks N]
 * [--transactions N]. Half of them are transfers of a token. The chain's answers come from a server in the same process, whose time is counted. */
export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      database: { type: "string" },
      blocks: { type: "string", default: "40" },
      transactions: { type: "string", default: "500" },
    },
  });
  const folder = mkdtempSync(join(tmpdir(), "ostrom-bench-"));
  const database = await openDatabase(values.database ?? join(folder, "index"));
  if (values.database !== undefined) await emptyTables(database);
  const chain = await startSimulatedChain();
  const blocks = Number(values.blocks);
  const perBlock = Number(values.transactions);
  for (let number = 0; number < blocks; number++)
    chain.add(Array.from({ length: perBlock }, (_, index) => transactionOf(number * perBlock + index)));
  const last = chain.blocks().at(-1)!.block.hash;
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  const stop = new AbortController();
  const begun = performance.now();
  const follower = follow({
    source: createChainSource([chain.url]),
    database,
    signal: stop.signal,
    onTip: (tip) => {
      if (tip?.hash === last) resolve();
    },
    onProblem: (problem) => reject(new Error(problem)),
  });
  await done;
  const seconds = (performance.now() - begun) / 1_000;
  stop.abort();
  await follower.ended;
  const transactions = blocks * perBlock;
  console.log(
    JSON.stringify({
      benchmark: "index catch-up",
      database: database.kind,
      transactions,
      seconds: Number(seconds.toFixed(2)),
      transactionsPerSecond: Math.round(transactions / seconds),
    }),
  );
  await Promise.all([database.close(), chain.close()]);
  rmSync(folder, { recursive: true, force: true });
}

function transactionOf(index: number): SimulatedTransaction {
  const from = addressOf(10 + (index % ACCOUNTS));
  const to = addressOf(10 + ((index * 7) % ACCOUNTS));
  if (index % 2 === 0) return { from, to, nonce: `0x${index.toString(16)}` };
  const logs: readonly Omit<LogAnswer, "logIndex">[] = [transferLog(TOKEN, from, to, BigInt(index))];
  return { from, to: TOKEN, nonce: `0x${index.toString(16)}`, input: CALL, logs };
}
