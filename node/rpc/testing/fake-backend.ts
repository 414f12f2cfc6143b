import { type Hash, hashFromWord, ok, toHexDigits, ZERO_ADDRESS, ZERO_HASH } from "@ostrom/base";
import {
  type ChainRules,
  EMPTY_OMMERS_HASH,
  EMPTY_REQUESTS_HASH,
  type Header,
  hashHeader,
  rulesOfSuite,
  SUITES,
} from "@ostrom/execution";
import { EMPTY_TRIE_ROOT, MemoryState, proveAccount } from "@ostrom/state";
import type { Block, EventListener, RpcBackend } from "../backend.ts";

/** A chain of empty blocks that executes nothing: enough for tests of transport, limits and decoding. */
export type FakeBackend = RpcBackend & {
  readonly listeners: Set<EventListener>;
  /** Appends an empty block and tells the listeners. */
  readonly grow: () => Block;
};

export const FAKE_RULES: ChainRules = {
  chainId: 1337n,
  forks: [{ fork: "osaka", fromTimestamp: 0 }],
  blockGasLimit: 30_000_000n,
  baseFeeChangeDenominator: 8n,
  elasticityMultiplier: 2n,
  minBaseFeePerGas: 7n,
  gasCharge: "used",
  ...rulesOfSuite(SUITES.ethereum),
};

const MINIMUM_HEADER: Omit<Header, "number" | "timestamp" | "parentHash"> = {
  ommersHash: EMPTY_OMMERS_HASH,
  coinbase: ZERO_ADDRESS,
  stateRoot: EMPTY_TRIE_ROOT,
  transactionsRoot: EMPTY_TRIE_ROOT,
  receiptsRoot: EMPTY_TRIE_ROOT,
  logsBloom: new Uint8Array(256),
  difficulty: 0n,
  gasLimit: FAKE_RULES.blockGasLimit,
  gasUsed: 0n,
  extraData: ZERO_HASH,
  prevRandao: ZERO_HASH,
  nonce: new Uint8Array(8),
  baseFeePerGas: 7n,
  withdrawalsRoot: EMPTY_TRIE_ROOT,
  blobGasUsed: 0n,
  excessBlobGas: 0n,
  parentBeaconBlockRoot: ZERO_HASH,
  requestsHash: EMPTY_REQUESTS_HASH,
};

/** @param overrides replaces parts, to make them fail or wait. */
export function createFakeBackend(overrides: Partial<RpcBackend> = {}): FakeBackend {
  const blocks: Block[] = [];
  const numbers = new Map<string, number>();
  const listeners = new Set<EventListener>();
  const append = (): Block => {
    const number = blocks.length;
    const parentHash: Hash = blocks.at(-1)?.hash ?? hashFromWord(0n);
    const header: Header = { ...MINIMUM_HEADER, number, timestamp: 1_700_000_000 + number, parentHash };
    const block = { header, hash: hashHeader(header, FAKE_RULES.hashId), transactions: [] };
    blocks.push(block);
    numbers.set(toHexDigits(block.hash), number);
    return block;
  };
  append();
  const state = MemoryState.of([]);
  const outcome = { status: "success", output: new Uint8Array(0), gasUsed: 21_000n } as const;
  return {
    info: { rules: FAKE_RULES, genesisHash: blocks[0]!.hash, coinbase: ZERO_ADDRESS },
    chain: {
      heads: () => ({ latest: blocks.length - 1, certified: blocks.length - 1, earliest: 0 }),
      header: (number) => blocks[number],
      block: (number) => blocks[number],
      receipts: (number) => (blocks[number] === undefined ? undefined : []),
      blockNumberOf: (hash) => numbers.get(toHexDigits(hash)),
      transactionLocation: () => undefined,
      dropReason: () => undefined,
      stateAt: () =>
        ok({
          reader: state,
          prove: (address, slots) => ok(proveAccount(state, address, slots)),
          release: () => {},
        }),
    },
    executor: {
      call: async () => ok(outcome),
      estimateGas: async () => ok({ kind: "estimated", gas: 21_000n }),
      createAccessList: async () => ok({ accessList: [], outcome }),
    },
    pool: {
      submit: async (raws) => raws.map((raw) => ok(hashFromWord(BigInt(raw.length)))),
      get: async () => undefined,
      status: async () => ({ pending: 0, queued: 0 }),
      content: async () => ({ pending: [], queued: [] }),
      pendingNonce: async () => 0n,
    },
    events: {
      subscribe: (listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    syncing: () => undefined,
    peerCount: () => 3,
    ...overrides,
    listeners,
    grow: () => {
      const block = append();
      for (const listener of listeners) listener.onBlock?.({ number: block.header.number, hash: block.hash });
      return block;
    },
  };
}
