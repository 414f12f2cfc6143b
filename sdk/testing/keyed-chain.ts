import { addressFromHex, hex, toHex, unwrap } from "@ostrom/base";
import {
  type ExecutedBlock,
  type Genesis,
  type GenesisKeys,
  type Receipt,
  simulateCall,
} from "@ostrom/execution";
import type { Hex, LocalAccount } from "viem";
import { funded, TEST_CHAIN_ID, TestChain, testGenesis } from "../../core/execution/testing/test-chain.ts";
import { type ContractCall, KEY_SETS_CONTRACT } from "../key-sets.ts";

const GAS_CAP = 16_000_000n;
const FEE = 10n ** 12n;
const MS_PER_SECOND = 1_000;
const BLOCK_MS = 1_000;

export type Sent = {
  /** undefined: the transaction was skipped. */
  readonly receipt: Receipt | undefined;
  /** Code of the reason for which it was skipped. */
  readonly skipped: string | undefined;
};

/** A chain in memory whose accounts have key sets. */
export class KeyedChain {
  readonly chainId: number = Number(TEST_CHAIN_ID);
  readonly chain: TestChain;
  #elapsedMs = 0;

  constructor(accounts: readonly Hex[], keys: GenesisKeys) {
    const genesis: Genesis = {
      ...testGenesis({ accounts: accounts.map((account) => funded(addressFromHex(account))) }),
      keys,
    };
    this.chain = new TestChain(genesis);
  }

  readonly call: ContractCall = async (to, data) => {
    const { genesis, head, state, blockHash } = this.chain;
    const outcome = unwrap(
      simulateCall({
        rules: genesis.rules,
        header: head.header,
        state,
        blockHash,
        request: { to: addressFromHex(to), data: hex(data) },
        gasCap: GAS_CAP,
      }),
    );
    return toHex(outcome.output);
  };

  /** Signs, and executes as a block of its own. */
  async send(
    account: LocalAccount,
    transaction: { readonly to: Hex; readonly data?: Hex; readonly value?: bigint },
  ): Promise<Sent> {
    const nonce = this.chain.state.account(addressFromHex(account.address))?.nonce ?? 0n;
    const raw = await account.signTransaction({
      type: "eip1559",
      chainId: this.chainId,
      nonce: Number(nonce),
      gas: GAS_CAP - 1_000_000n,
      maxFeePerGas: FEE,
      maxPriorityFeePerGas: 0n,
      ...transaction,
    });
    return this.execute(raw);
  }

  execute(raw: Hex): Sent {
    const block = this.#execute([hex(raw)], BLOCK_MS);
    return { receipt: block.receipts[0], skipped: block.skipped[0]?.reason.code };
  }

  /** Has KeySets do something. @returns whether it did. */
  async change(account: LocalAccount, data: Hex): Promise<boolean> {
    const { receipt, skipped } = await this.send(account, { to: KEY_SETS_CONTRACT, data });
    return skipped === undefined && receipt?.succeeded === true;
  }

  /** Lets so many seconds pass. */
  wait(seconds: number): void {
    this.#execute([], seconds * MS_PER_SECOND);
  }

  #execute(transactions: readonly Uint8Array[], passedMs: number): ExecutedBlock {
    const height = this.chain.blocks.length;
    // The chain in memory counts its time in equal intervals from genesis on.
    const intervalMs = Math.ceil((this.#elapsedMs + passedMs) / height);
    this.#elapsedMs = intervalMs * height;
    return this.chain.execute(transactions, intervalMs);
  }
}
