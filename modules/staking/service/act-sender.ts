import { type Address, type Bytes, toHex } from "@ostrom/base";
import { addressOfSecretKey, signTransaction } from "@ostrom/execution";
import type { ModuleCall } from "@ostrom/runtime";
import type { AskNode } from "./node-question.ts";

/** A transaction that was sent and is not known to be in a block. */
export type Sent = { readonly hash: string; readonly nonce: bigint; readonly maxFeePerGas: bigint };

/** What became of one: still on its way, in a block, or gone. */
export type Fate = "waiting" | "included" | "lost";

/** More than was estimated, because state may have changed until it runs. */
const GAS_MARGIN_PERCENT = 130n;
/** Of the price of gas now: it lasts for hundreds of full blocks. */
const FEE_MARGIN = 2n;
/** A pool takes another transaction of the same nonce only for a tenth more. */
const REPLACEMENT_PERCENT = 125n;
const PERCENT = 100n;

export function accountOf(secret: Bytes): Address {
  return addressOfSecretKey(secret);
}

/** Signs and sends a call. Rejects with the node's words: the call would be reverted, or the account cannot pay.
 * @param stuck one to put this in the place of. */
export async function sendCall(
  ask: AskNode,
  chainId: bigint,
  secret: Bytes,
  call: ModuleCall,
  stuck: Sent | undefined,
): Promise<Sent> {
  const from = toHex(accountOf(secret));
  const request = { from, to: toHex(call.to), data: toHex(call.data) };
  const gas = await askNumber(ask, "eth_estimateGas", [request]);
  const price = await askNumber(ask, "eth_gasPrice", []);
  const tip = await askNumber(ask, "eth_maxPriorityFeePerGas", []);
  const nonce = stuck?.nonce ?? (await askNumber(ask, "eth_getTransactionCount", [from, "pending"]));
  const least = stuck === undefined ? 0n : (stuck.maxFeePerGas * REPLACEMENT_PERCENT) / PERCENT + 1n;
  const maxFeePerGas = largest(FEE_MARGIN * price, least);
  const maxPriorityFeePerGas = stuck === undefined ? tip : maxFeePerGas;
  const { raw, hash } = signTransaction(
    {
      chainId,
      nonce,
      maxFeePerGas,
      maxPriorityFeePerGas: smallest(maxPriorityFeePerGas, maxFeePerGas),
      gasLimit: (gas * GAS_MARGIN_PERCENT) / PERCENT,
      to: call.to,
      value: call.value ?? 0n,
      data: call.data,
    },
    secret,
  );
  await ask("eth_sendRawTransaction", [toHex(raw)]);
  return { hash: toHex(hash), nonce, maxFeePerGas };
}

export async function fateOf(ask: AskNode, { hash }: Sent): Promise<Fate> {
  const { status } = (await ask("ostrom_getTransactionStatus", [hash])) as { readonly status: string };
  if (status === "included") return "included";
  return status === "pending" || status === "queued" ? "waiting" : "lost";
}

async function askNumber(ask: AskNode, method: string, params: readonly unknown[]): Promise<bigint> {
  return BigInt(String(await ask(method, params)));
}

function largest(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function smallest(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
