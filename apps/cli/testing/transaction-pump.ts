import { readFileSync } from "node:fs";
import { Address, type Bytes, fromHex, toHex, unwrap } from "@ostrom/base";
import { addressOfSecretKey, signTransaction } from "@ostrom/execution";
import { installNativeCrypto } from "@ostrom/runtime";
import { ask, askMany } from "../rpc-client.ts";

const INTERVAL_MS = 80;
const TRANSFER_GAS = 21_000n;
const MAX_FEE = 100n * 10n ** 9n;

/** Transfers of one account to itself, one after another: blocks come at once where there is something to order.
 * @returns what stops it. */
export function startPump(url: string, keyFile: string, chainId: number): () => Promise<void> {
  installNativeCrypto();
  const secretKey: Bytes = unwrap(fromHex(readFileSync(keyFile, "utf8").trim()));
  const address = addressOfSecretKey(secretKey);
  let nonce = 0n;
  let isOver = false;
  const sendOne = async (): Promise<void> => {
    const { raw } = signTransaction(
      {
        type: 2,
        chainId: BigInt(chainId),
        nonce,
        maxFeePerGas: MAX_FEE,
        maxPriorityFeePerGas: 1n,
        gasLimit: TRANSFER_GAS,
        to: Address(address),
        value: 1n,
      },
      secretKey,
    );
    const [answer] = await askMany(url, [{ method: "eth_sendRawTransaction", params: [toHex(raw)] }]);
    if (answer?.error === undefined) nonce += 1n;
    else nonce = BigInt(await ask<string>(url, "eth_getTransactionCount", [toHex(address), "pending"]));
  };
  const pumping = (async () => {
    while (!isOver) {
      // The node may not be up yet.
      await sendOne().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
  })();
  return async () => {
    isOver = true;
    await pumping;
  };
}
