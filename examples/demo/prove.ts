import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { verifyMerkleProof } from "@ethereumjs/mpt";
import {
  type Address,
  bytesToHex,
  createPublicClient,
  fromRlp,
  type Hex,
  hexToBytes,
  http,
  keccak256,
  numberToHex,
  type PublicClient,
  pad,
} from "viem";
import { check } from "./steps.ts";

const TOTAL_SUPPLY_SLOT = 2n;

/** How often, and how long, a mined chain is asked whether the token is deep enough in it. */
const POLL_INTERVAL_MS = 250;
const MAX_POLLS = 480;

/** Waits until a finalized block has the token. Where validators vote that is at once; where blocks are mined, some blocks later. */
async function finalized(client: PublicClient, token: Address): Promise<void> {
  for (let poll = 0; poll < MAX_POLLS; poll++) {
    if ((await client.getCode({ address: token, blockTag: "finalized" })) !== undefined) return;
    await sleep(POLL_INTERVAL_MS);
  }
  check(false, "the token's block is finalized");
}

type Hash = (data: Uint8Array) => Uint8Array;

/** Hash functions that chains have, of others' making: viem's and OpenSSL's. */
const HASHES: readonly Hash[] = [
  (data) => keccak256(data, "bytes"),
  (data) => Uint8Array.from(createHash("sm3").update(data).digest()),
];

/** Which of them the chain has: the one that gives the hash of block 0 from its header. */
async function findHash(rpcUrl: string, client: PublicClient): Promise<Hash> {
  const response = await fetch(rpcUrl, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ostrom_getHeaders", params: ["0x0", 1] }),
  });
  const { result } = (await response.json()) as { readonly result: readonly Hex[] };
  const header = result[0];
  check(header !== undefined, "the node has the header of block 0");
  const block = await client.getBlock({ blockNumber: 0n });
  const found = HASHES.find((hash) => bytesToHex(hash(hexToBytes(header))) === block.hash);
  check(found !== undefined, "the hash of block 0 is the one of its header");
  return found;
}

/** Proves the token's account and its total supply against a finalized block's state root with a library that shares no code with
 * the chain (@ethereumjs/mpt). @returns what was proved, in words. */
export async function proveBalance(rpcUrl: string, token: Address): Promise<string> {
  const client = createPublicClient({ transport: http(rpcUrl) });
  await finalized(client, token);
  const hash = await findHash(rpcUrl, client);
  const hashed = { useKeyHashing: false, useKeyHashingFunction: hash };
  const block = await client.getBlock({ blockTag: "finalized" });
  const slot = pad(numberToHex(TOTAL_SUPPLY_SLOT), { size: 32 });
  const proof = await client.getProof({ address: token, storageKeys: [slot], blockNumber: block.number });
  const account = await verifyMerkleProof(
    hash(hexToBytes(token)),
    proof.accountProof.map((node) => hexToBytes(node)),
    { ...hashed, root: hexToBytes(block.stateRoot) } as never,
  );
  check(account !== null, "the account's proof leads to the block's state root");
  const [, , storageRoot] = fromRlp(account, "hex") as [Hex, Hex, Hex, Hex];
  check(storageRoot === proof.storageHash, "the account proved has the storage root that the node told");
  const entry = proof.storageProof[0];
  check(entry !== undefined, "the slot has a proof");
  const value = await verifyMerkleProof(
    hash(hexToBytes(slot)),
    entry.proof.map((node) => hexToBytes(node)),
    { ...hashed, root: hexToBytes(storageRoot) } as never,
  );
  check(
    value !== null && BigInt(fromRlp(value, "hex") as Hex) === entry.value,
    "the slot's proof gives the value told",
  );
  return `proved the token's supply (${entry.value / 10n ** 18n} CMN) against the state root of finalized block ${block.number}`;
}
