import { existsSync } from "node:fs";
import { join } from "node:path";
import { toHex, unwrap } from "@ostrom/base";
import { decodeStateCertificate } from "@ostrom/consensus";
import { openLevelStore, readHead, readHeader, readStateCertificate } from "@ostrom/storage";
import type { AgreementChecker } from "./agreement.ts";

/** Adds the blocks and state certificates on the disk of a node that does not run.
 * @returns how many certificates there were. */
export async function addStoredChain(
  folder: string,
  name: string,
  agreement: AgreementChecker,
): Promise<number> {
  const path = join(folder, "data/chain");
  if (!existsSync(path)) return 0;
  const store = await openLevelStore(path, { create: false });
  let certificates = 0;
  try {
    const head = readHead(store)?.height ?? -1;
    for (let height = 0; height <= head; height++) {
      const header = readHeader(store, height);
      if (header !== undefined) agreement.addBlock(height, toHex(header.hash), name);
      const bytes = readStateCertificate(store, height);
      if (bytes === undefined) continue;
      const { executed } = unwrap(decodeStateCertificate(bytes));
      agreement.addBlock(executed.height, toHex(executed.executedHash), `the state certificate of ${name}`);
      certificates++;
    }
  } finally {
    await store.close();
  }
  return certificates;
}
