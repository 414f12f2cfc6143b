import { type Address, type Bytes, toHexDigits } from "@ostrom/base";
import { decodeSignedTransaction } from "@ostrom/execution";

/** Nonces that are remembered of all senders together. */
const MAX_REMEMBERED = 4_096;

/** The transactions that went out through one provider: with them it tells the next nonce and asks no server about it. */
export class OwnTransactions {
  /** "sender:nonce", oldest first. */
  readonly #sent = new Set<string>();

  remember(raw: Bytes): void {
    const decoded = decodeSignedTransaction(raw);
    if (!decoded.ok) return;
    this.#sent.add(keyOf(decoded.value.sender, decoded.value.nonce));
    for (const oldest of this.#sent) {
      if (this.#sent.size <= MAX_REMEMBERED) break;
      this.#sent.delete(oldest);
    }
  }

  /** The first nonce from the certified one on that was not sent from here. */
  nextNonce(sender: Address, certified: bigint): bigint {
    let nonce = certified;
    while (this.#sent.has(keyOf(sender, nonce))) nonce++;
    return nonce;
  }
}

function keyOf(sender: Address, nonce: bigint): string {
  return `${toHexDigits(sender)}:${nonce}`;
}
