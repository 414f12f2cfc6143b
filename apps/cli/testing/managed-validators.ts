import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Abi, type Hex, parseAbi } from "viem";
import type { SigningKeys } from "../signing-key.ts";
import { VALIDATOR_SET_ADDRESS } from "../validator-contracts.ts";
import { connectWallet } from "../wallet.ts";
import { blockNumber, LONG_WAIT_MS, type TestNetwork, waitUntil } from "./test-network.ts";

export const SHORT_EPOCH = 20;
/** What the owner of a managed set may do, as far as tests do it. */
export const OWNER_ABI: Abi = parseAbi([
  "struct Validator { address account; uint64 weight; uint16 port; bytes consensusKey; bytes proofOfPossession; bytes transportKey; string name; string host; }",
  "function addValidator(Validator added)",
  "function removeValidator(bytes consensusKey)",
  "function rotateConsensusKey(bytes consensusKey, bytes newKey, bytes newProof)",
  "function setAccount(bytes consensusKey, address account)",
]);
const EPOCH_LEAD = 10;

/** Gives a network that has not started yet epochs that a test can wait for, and an owner who decides who validates. */
export function manageValidators(
  network: TestNetwork,
  owner: string,
  epochs: { readonly epochLength: number; readonly epochLead: number } = {
    epochLength: SHORT_EPOCH,
    epochLead: EPOCH_LEAD,
  },
): void {
  for (let index = 0; index < network.file.nodes.length; index++) {
    const path = join(network.folder(index), "genesis.json");
    const genesis = JSON.parse(readFileSync(path, "utf8"));
    Object.assign(genesis, {
      ...epochs,
      validatorSets: { kind: "managed", owner },
      consensus: { ...genesis.consensus, minBlockIntervalMs: 50, emptyBlockIntervalMs: 150 },
    });
    writeFileSync(path, JSON.stringify(genesis));
  }
}

/** Sends to the contract of the validator set, or to another, which must take it. */
export async function changeValidators(
  rpc: string,
  signer: Hex | SigningKeys,
  data: Hex,
  to: Hex = VALIDATOR_SET_ADDRESS,
): Promise<void> {
  const wallet = await connectWallet(rpc, signer);
  const receipt = await wallet.receipt(await wallet.send({ to, data, value: 0n }));
  assert.equal(receipt.status, "success");
}

export function finalizedReaches(what: string, height: number, urls: readonly string[]): Promise<void> {
  return waitUntil(`${what}: ${height} is final at ${urls.length} nodes`, 2 * LONG_WAIT_MS, async () => {
    const heights = await Promise.all(urls.map((url) => blockNumber(url, "finalized")));
    return heights.every((reached) => reached >= height);
  });
}
