import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Address, addressFromHex, toHex } from "@ostrom/base";
import { installNativeCrypto } from "@ostrom/runtime";
import { createLightClient } from "@ostrom/sdk";
import { UsageError } from "./command.ts";
import { showCoins } from "./units.ts";

const TRUSTING_PERIOD_MS = 1_000 * 86_400_000;

/** Proves an account's balance as a light client does, then asks a server that lies. @returns lines that say what was checked. */
export async function proveBalance(url: string, folder: string, account: string): Promise<readonly string[]> {
  installNativeCrypto();
  const genesis = JSON.parse(readFileSync(join(folder, "genesis.json"), "utf8")) as unknown;
  const address = addressFromHex(account as `0x${string}`);
  const honest = await readProved(url, genesis, address);
  const lie = await readProved(url, genesis, address, lyingFetch);
  if (lie.refusal === undefined)
    throw new UsageError("a false balance was believed: this is a fault, please report it");
  if (honest.refusal !== undefined) throw new UsageError(`the proof was refused: ${honest.refusal}`);
  return [
    `genesis.json names the first validators: that is all that is trusted`,
    `more than two thirds of them signed block ${honest.height}, hash ${honest.hash}`,
    `its header holds the state root ${honest.root}`,
    `a Merkle proof of ${honest.nodes} nodes leads from that root to the account`,
    `so it has ${showCoins(honest.balance)} coins, whoever it was that answered`,
    `the same question to a server that adds one coin: refused (${lie.refusal})`,
  ];
}

type Proved =
  | { readonly refusal: string }
  | {
      readonly refusal: undefined;
      readonly height: number;
      readonly hash: string;
      readonly root: string;
      readonly nodes: number;
      readonly balance: bigint;
    };

async function readProved(
  url: string,
  genesis: unknown,
  address: Address,
  fetch: typeof globalThis.fetch = globalThis.fetch,
): Promise<Proved> {
  let nodes = 0;
  const counting: typeof globalThis.fetch = async (...request) => {
    const response = await fetch(...request);
    const text = await response.clone().text();
    for (const proof of proofsIn(text)) nodes = Math.max(nodes, proof);
    return response;
  };
  const light = createLightClient({
    servers: [url],
    genesis,
    trustingPeriodMs: TRUSTING_PERIOD_MS,
    fetch: counting,
  });
  const header = await light.header();
  if (!header.ok) return { refusal: header.error.code };
  const found = await light.account(address, header.value.header.number);
  if (!found.ok) return { refusal: found.error.code };
  const { header: fields, hash } = header.value;
  return {
    refusal: undefined,
    height: Number(fields.number),
    hash: toHex(hash),
    root: toHex(fields.stateRoot),
    nodes,
    balance: found.value?.balance ?? 0n,
  };
}

type ProofAnswer = {
  readonly result?: { readonly accountProof?: readonly string[]; balance?: string } | null;
};

function proofsIn(text: string): readonly number[] {
  const parsed = JSON.parse(text) as ProofAnswer | readonly ProofAnswer[];
  return [parsed].flat().map((answer) => (answer as ProofAnswer).result?.accountProof?.length ?? 0);
}

/** A server that tells of one coin more: it changes the proof's last node, where the balance stands. */
const lyingFetch: typeof globalThis.fetch = async (...request) => {
  const response = await globalThis.fetch(...request);
  const text = (await response.text()).replace(
    /"accountProof":\[([^\]]*)\]/,
    (_, proof: string) => `"accountProof":[${changeLastDigit(proof)}]`,
  );
  return new Response(text, { status: response.status, headers: { "content-type": "application/json" } });
};

function changeLastDigit(proof: string): string {
  const at = proof.length - 80;
  const changed = proof[at] === "0" ? "1" : "0";
  return proof.slice(0, at) + changed + proof.slice(at + 1);
}
