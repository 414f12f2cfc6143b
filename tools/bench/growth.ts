// npm run bench -- growth [--accounts 10000,300000,1000000] [--rounds 1] [--transactions 1000] [--blocks 30]
//
// What a block of transfers costs the executor by how many accounts the state holds: a process of its own for each size, so that none
// has another's warm code, heap or files; sizes take turns in each round. The child prints one JSON line each.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parseArgs } from "node:util";

const CHILD = join(import.meta.dirname, "../../node/runtime/executor-growth.bench.ts");

export async function run(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      accounts: { type: "string", default: "10000,300000,1000000" },
      rounds: { type: "string", default: "1" },
      transactions: { type: "string", default: "1000" },
      blocks: { type: "string", default: "30" },
    },
  });
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const accounts of values.accounts.split(",")) {
      const flags = [
        `accounts=${accounts}`,
        `transactions=${values.transactions}`,
        `blocks=${values.blocks}`,
      ];
      const child = spawn(process.execPath, [CHILD, ...flags], { stdio: "inherit" });
      const [exitCode] = await once(child, "close");
      if (exitCode !== 0) throw new Error(`growth with ${accounts} accounts ended with ${exitCode}`);
    }
  }
}
