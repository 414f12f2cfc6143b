import assert from "node:assert/strict";
import { receiptBlocks, signTransfers, submit } from "./load.ts";
import { blockNumber } from "./test-network.ts";
import { LONG_WAIT_MS, waitUntil } from "./wait-until.ts";

/** Sends transfers of one development account, one after another, and keeps count of its nonce itself: the node that is
 * asked for it may be behind. */
export class Sender {
  readonly #account: number;
  #nonce = 0;

  constructor(account = 0) {
    this.#account = account;
  }

  /** Submits transfers to the first of these nodes and waits until all of the nodes have finalized them.
   * @returns the highest of their blocks. */
  async finalize(urls: readonly string[], count = 1): Promise<number> {
    const transfers = signTransfers(this.#account, this.#nonce, count);
    assert.deepEqual(await submit(urls[0]!, transfers), []);
    this.#nonce += count;
    let highest = 0;
    await waitUntil(`${count} transfers are finalized by all`, LONG_WAIT_MS, async () => {
      const finalized = await Promise.all(urls.map((url) => blockNumber(url, "finalized")));
      const found = await Promise.all(urls.map((url) => receiptBlocks(url, transfers)));
      highest = Math.max(...found[0]!.values());
      return found.every(
        (blocks, index) => blocks.size === count && Math.max(...blocks.values()) <= finalized[index]!,
      );
    });
    return highest;
  }
}
