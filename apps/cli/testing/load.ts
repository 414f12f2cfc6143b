import { Address, fromHex, toHex, unwrap } from "@ostrom/base";
import { signTransaction } from "@ostrom/execution";
import { DEVELOPMENT_MNEMONIC, deriveAccounts, installNativeCrypto } from "@ostrom/runtime";
import { DEVELOPMENT_CHAIN_ID } from "../local-network.ts";
import { ask, askMany } from "../rpc-client.ts";

const TRANSFER_GAS = 21_000n;
const MAX_FEE = 50n * 10n ** 9n;

export type SignedTransfer = { readonly raw: string; readonly hash: string };

/** Signs transfers of one wei from a development account to the next one. */
export function signTransfers(account: number, firstNonce: number, count: number): readonly SignedTransfer[] {
  installNativeCrypto();
  const accounts = deriveAccounts(DEVELOPMENT_MNEMONIC, account + 2);
  const secretKey = unwrap(fromHex(accounts[account]!.secretKey));
  const to = Address(unwrap(fromHex(accounts[account + 1]!.address)));
  return Array.from({ length: count }, (_, index) => {
    const transaction = signTransaction(
      {
        type: 2,
        chainId: BigInt(DEVELOPMENT_CHAIN_ID),
        nonce: BigInt(firstNonce + index),
        maxFeePerGas: MAX_FEE,
        maxPriorityFeePerGas: 1n,
        gasLimit: TRANSFER_GAS,
        to,
        value: 1n,
      },
      secretKey,
    );
    return { raw: toHex(transaction.raw), hash: toHex(transaction.hash) };
  });
}

/** Submits in one batch. @returns the refusals' messages. */
export async function submit(url: string, transfers: readonly SignedTransfer[]): Promise<readonly string[]> {
  const answers = await askMany(
    url,
    transfers.map(({ raw }) => ({ method: "eth_sendRawTransaction", params: [raw] })),
  );
  return answers.flatMap((answer) => (answer.error === undefined ? [] : [answer.error.message]));
}

/** Block numbers of those transfers that have a receipt. */
export async function receiptBlocks(
  url: string,
  transfers: readonly SignedTransfer[],
): Promise<ReadonlyMap<string, number>> {
  const answers = await askMany(
    url,
    transfers.map(({ hash }) => ({ method: "eth_getTransactionReceipt", params: [hash] })),
  );
  const blocks = new Map<string, number>();
  answers.forEach((answer, index) => {
    const receipt = answer.result as { blockNumber: string } | null | undefined;
    if (receipt != null) blocks.set(transfers[index]!.hash, Number(receipt.blockNumber));
  });
  return blocks;
}

/** The nonce that a development account uses next, its pending transactions counted. */
export async function nextNonce(url: string, account: number): Promise<number> {
  const { address } = deriveAccounts(DEVELOPMENT_MNEMONIC, account + 1)[account]!;
  return Number(await ask<string>(url, "eth_getTransactionCount", [address, "pending"]));
}
