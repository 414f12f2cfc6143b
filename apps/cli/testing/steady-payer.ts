import assert from "node:assert/strict";
import type { Hex } from "viem";
import { ask } from "../rpc-client.ts";
import type { SigningKeys } from "../signing-key.ts";
import { connectWallet } from "../wallet.ts";
import type { BlockWatch } from "./block-watch.ts";
import { LONG_WAIT_MS, waitUntil } from "./wait-until.ts";

/** Somebody who transfers one wei after the other, until told to stop or refused. */
export type SteadyPayer = {
  /** Blocks that had a transfer, in their order. */
  readonly blocks: readonly number[];
  /** Why the chain takes no more of them; undefined as long as it does. */
  readonly refusal: () => string | undefined;
  /** @returns what `refusal` says at the end. */
  readonly stop: () => Promise<string | undefined>;
};

type Receipt = { readonly status: Hex; readonly blockNumber: Hex };
type Fate = { readonly status?: string; readonly message?: string };

export async function startPayer(url: string, signer: Hex | SigningKeys, to: Hex): Promise<SteadyPayer> {
  const wallet = await connectWallet(url, signer);
  const blocks: number[] = [];
  let isOver = false;
  const pay = async (): Promise<void> => {
    const hash = await wallet.send({ to, data: "0x", value: 1n });
    await waitUntil(`a receipt of ${hash}`, LONG_WAIT_MS, async () => {
      const receipt = await ask<Receipt | null>(url, "eth_getTransactionReceipt", [hash]);
      if (receipt !== null && BigInt(receipt.status) !== 1n) throw new Error(`${hash} failed`);
      if (receipt !== null) blocks.push(Number(receipt.blockNumber));
      else {
        const fate = await ask<Fate | null>(url, "ostrom_getTransactionStatus", [hash]);
        if (fate?.status === "dropped") throw new Error(`dropped: ${fate.message}`);
      }
      return receipt !== null;
    });
  };
  let refusal: string | undefined;
  const paying = (async () => {
    try {
      while (!isOver) await pay();
    } catch (error) {
      refusal = (error as Error).message;
    }
  })();
  return {
    blocks,
    refusal: () => refusal,
    stop: async () => {
      isOver = true;
      await paying;
      return refusal;
    },
  };
}

/** Blocks come on, and whoever pays goes on paying. */
export async function goesOn(watch: BlockWatch, paying: readonly SteadyPayer[]): Promise<void> {
  const height = watch.head();
  await waitUntil("payments after that", LONG_WAIT_MS, () => {
    for (const { refusal } of paying) assert.equal(refusal(), undefined);
    return paying.every(({ blocks }) => (blocks.at(-1) ?? 0) > height);
  });
}
