import { verifyMerkleProof } from "@ethereumjs/mpt";
import {
  type Address,
  createPublicClient,
  fromRlp,
  type Hex,
  hexToBytes,
  http,
  keccak256,
  numberToHex,
  pad,
} from "viem";
import { check } from "./steps.ts";

const TOTAL_SUPPLY_SLOT = 2n;

/** Proves the token's account and its total supply against a finalized block's state root with a library that shares no code with
 * the chain (@ethereumjs/mpt). @returns what was proved, in words. */
export async function proveBalance(rpcUrl: string, token: Address): Promise<string> {
  const client = createPublicClient({ transport: http(rpcUrl) });
  const block = await client.getBlock({ blockTag: "finalized" });
  const slot = pad(numberToHex(TOTAL_SUPPLY_SLOT), { size: 32 });
  const proof = await client.getProof({ address: token, storageKeys: [slot], blockNumber: block.number });
  const account = await verifyMerkleProof(
    hexToBytes(keccak256(token)),
    proof.accountProof.map((node) => hexToBytes(node)),
    { useKeyHashing: false, root: hexToBytes(block.stateRoot) } as never,
  );
  check(account !== null, "the account's proof leads to the block's state root");
  const [, , storageRoot] = fromRlp(account, "hex") as [Hex, Hex, Hex, Hex];
  check(storageRoot === proof.storageHash, "the account proved has the storage root that the node told");
  const entry = proof.storageProof[0];
  check(entry !== undefined, "the slot has a proof");
  const value = await verifyMerkleProof(
    hexToBytes(keccak256(slot)),
    entry.proof.map((node) => hexToBytes(node)),
    { useKeyHashing: false, root: hexToBytes(storageRoot) } as never,
  );
  check(
    value !== null && BigInt(fromRlp(value, "hex") as Hex) === entry.value,
    "the slot's proof gives the value told",
  );
  return `proved the token's supply (${entry.value / 10n ** 18n} CMN) against the state root of finalized block ${block.number}`;
}
