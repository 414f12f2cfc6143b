import { type Address, type Bytes, EMPTY_BYTES, hex, must, toHex, ZERO_HASH } from "@ostrom/base";
import { type GenesisAccount, MemoryState, StateOverlay } from "@ostrom/state";
import {
  type BlockContext,
  type Message,
  type MessageEngine,
  type Outcome,
  TRANSACTION_GAS,
} from "@ostrom/vm";

/** What a message did, so that two of them can be compared. */
export type Effects = {
  readonly status: Outcome["status"];
  /** Hex. */
  readonly output: string;
  readonly logs: readonly {
    readonly address: string;
    readonly topics: readonly string[];
    readonly data: string;
  }[];
};

export type Sent = {
  readonly effects: Effects;
  /** Of the message: without what a transaction costs besides. */
  readonly gasUsed: bigint;
  readonly outcome: Outcome;
};

export type Sending = Partial<Omit<Message, "caller" | "to">> & {
  readonly from: Address;
  readonly to?: Address;
};

const BLOCK: BlockContext = {
  number: 1000n,
  timestamp: 1_700_000_000n,
  coinbase: must(accounts()[0], "there are accounts"),
  gasLimit: 30_000_000n,
  baseFeePerGas: 7n,
  prevRandao: ZERO_HASH,
  blobBaseFee: 1n,
  chainId: 1337n,
  blockHash: () => ZERO_HASH,
};

/** As much as one transaction may have (EIP-7825). */
const MESSAGE_GAS = 2n ** 24n - TRANSACTION_GAS.base;

/** Five accounts that have money. */
export function accounts(): readonly Address[] {
  return [0xa1, 0xa2, 0xa3, 0xa4, 0xa5].map((byte) => hex(byte.toString(16).repeat(20)) as Address);
}

/** A state in which messages run, one transaction each. */
export class Ledger {
  readonly #engine: MessageEngine;
  readonly #state: StateOverlay;

  constructor(engine: MessageEngine) {
    this.#engine = engine;
    const genesis = accounts().map(
      (address): GenesisAccount => ({
        address,
        nonce: 0n,
        balance: 10n ** 18n,
        code: EMPTY_BYTES,
        storage: [],
      }),
    );
    this.#state = new StateOverlay(MemoryState.of(genesis));
  }

  send({ from, to, ...rest }: Sending): Sent {
    const state = this.#state;
    state.beginTransaction();
    state.setNonce(from, state.nonce(from) + 1n);
    const message: Message = { caller: from, to, value: 0n, data: EMPTY_BYTES, gas: MESSAGE_GAS, ...rest };
    state.warmAddress(from);
    if (to !== undefined) state.warmAddress(to);
    const outcome = this.#engine(
      {
        fork: "osaka",
        block: BLOCK,
        transaction: { origin: from, gasPrice: 10n, blobVersionedHashes: [] },
        state,
      },
      message,
    );
    const logs = state.logs().map(({ address, topics, data }) => ({
      address: toHex(address),
      topics: topics.map((topic) => toHex(topic)),
      data: toHex(data),
    }));
    state.endTransaction();
    const effects = { status: outcome.status, output: toHex(outcome.output), logs };
    return { effects, gasUsed: message.gas - outcome.gasLeft, outcome };
  }

  /** Throws if the creation fails. */
  deploy(from: Address, initCode: Bytes): { readonly address: Address; readonly sent: Sent } {
    const sent = this.send({ from, data: initCode });
    const { outcome } = sent;
    if (outcome.status !== "success")
      throw new Error(`not deployed: ${outcome.fault ?? toHex(outcome.output)}`);
    return { address: must(outcome.created, "a creation that succeeds has an address"), sent };
  }

  /** All slots of an account that are not zero, in order. */
  storageOf(address: Address): readonly (readonly [slot: bigint, value: bigint])[] {
    const change = [...this.#state.changes().accounts.values()].find(
      (candidate) => toHex(candidate.address) === toHex(address),
    );
    return (change?.storage ?? [])
      .filter(({ value }) => value !== 0n)
      .map(({ slot, value }) => [slot, value] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1));
  }

  balanceOf(address: Address): bigint {
    return this.#state.balance(address);
  }

  nonceOf(address: Address): bigint {
    return this.#state.nonce(address);
  }
}
