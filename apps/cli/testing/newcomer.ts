import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { toHex, unwrap } from "@ostrom/base";
import { provisionJoiner } from "@ostrom/runtime";
import { encodeFunctionData, type Hex } from "viem";
import { findFreePorts } from "./free-ports.ts";
import { OWNER_ABI } from "./managed-validators.ts";
import type { TestNetwork } from "./test-network.ts";

/** A machine that has nothing of the chain but genesis, and keys to validate with. */
export type Newcomer = {
  readonly folder: string;
  readonly url: string;
  /** What the owner of the set sends so that it validates. @param account of the validator. */
  readonly admission: (account: string) => Hex;
};

/** Makes the folder of a newcomer, beside those of a network; its node is not started.
 * @param schemeId by which validators vote now, where that is no longer what genesis says. */
export async function provisionNewcomer(
  network: TestNetwork,
  name: string,
  schemeId?: number,
): Promise<Newcomer> {
  const host = "127.0.0.1";
  const [rpcPort, port] = (await findFreePorts(1, 2)) as [number, number];
  const folder = join(network.directory, name);
  const plan = { name, folder, link: { host, port }, rpc: { host, port: rpcPort } };
  const entropy = (length: number): Uint8Array => new Uint8Array(randomBytes(length));
  const genesisPath = join(network.folder(0), "genesis.json");
  const keys = unwrap(provisionJoiner(plan, genesisPath, entropy, {}, [], schemeId));
  const admission = (account: string): Hex => {
    const added = {
      account,
      weight: 1n,
      port,
      consensusKey: toHex(keys.consensusKey),
      proofOfPossession: toHex(keys.proofOfPossession),
      transportKey: `0x${keys.peerId}`,
      name,
      host,
    };
    return encodeFunctionData({ abi: OWNER_ABI, functionName: "addValidator", args: [added] });
  };
  return { folder, url: `http://${host}:${rpcPort}`, admission };
}
