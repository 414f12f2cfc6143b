import type { HeaderFields } from "./header-fields.ts";
import { blockOf, countTransactions, readBlocks } from "./past-blocks.ts";
import { toNumber, toQuantity } from "./quantity.ts";
import { pushBounded } from "./ring.ts";
import type { RpcClient } from "./rpc.ts";
import type { RpcCertificate, RpcHeader, RpcTransaction } from "./rpc-types.ts";
import type { NodeSocket } from "./socket.ts";
import { createStore, type Store } from "./store.ts";

/** A block as lists and plots show it. */
export type LiveBlock = {
  readonly number: number;
  /** Of a block from before the page was opened the next block tells it. */
  readonly hash: string | undefined;
  readonly miner: string;
  /** In seconds since 1970, as the header has it. */
  readonly timestamp: number;
  readonly gasUsed: number;
  readonly gasLimit: number;
  readonly baseFeePerGas: bigint;
  readonly transactions: number;
  /** When this page heard of it, and when it heard of its certificate; `undefined`: not in this page's life. Milliseconds. */
  readonly heardMs: number | undefined;
  readonly certifiedMs: number | undefined;
};

export type LiveState = {
  /** Oldest first, at most `LIVE_BLOCKS`. */
  readonly blocks: readonly LiveBlock[];
  /** Newest first, at most `LIVE_TRANSACTIONS`. */
  readonly transactions: readonly RpcTransaction[];
  /** The newest executed and the newest certified block; -1: not known yet. */
  readonly head: number;
  readonly certified: number;
  /** Blocks that were replaced by others while the page was open. */
  readonly replaced: number;
};

export type LiveChain = Pick<Store<LiveState>, "get" | "subscribe">;

export const LIVE_BLOCKS = 360;
export const LIVE_TRANSACTIONS = 40;
/** Blocks that are shown when the page is opened. */
const PAST_BLOCKS = 60;
/** News are shown so often at most: more would only cost the reader's machine. */
const SHOW_MS = 200;
/** Of one block so many transactions are fetched for the list of the newest ones. */
const TRANSACTIONS_OF_BLOCK = 10;
/** A head without a certificate is asked for again after this time. */
const CERTIFICATE_MS = 150;

const EMPTY: LiveState = { blocks: [], transactions: [], head: -1, certified: -1, replaced: 0 };

/** Follows a node's chain into rings of fixed size, however fast it is. */
export function createLiveChain(rpc: RpcClient, socket: NodeSocket): LiveChain {
  return new ChainWatch(rpc, socket);
}

class ChainWatch implements LiveChain {
  readonly #store: Store<LiveState> = createStore(EMPTY);
  readonly #rpc: RpcClient;
  #heard: LiveBlock[] = [];
  #isShowing = false;
  #isAskingCertificate = false;
  #certificateTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(rpc: RpcClient, socket: NodeSocket) {
    this.#rpc = rpc;
    void this.#catchUp();
    socket.subscribe("newHeads", undefined, (news) => this.#hear(news as RpcHeader));
    let wasLive = false;
    socket.state.subscribe(() => {
      // What was missed while there was no connection.
      if (socket.state.get() === "live" && wasLive) void this.#catchUp();
      wasLive = true;
    });
  }

  get get(): () => LiveState {
    return this.#store.get;
  }

  get subscribe(): Store<LiveState>["subscribe"] {
    return this.#store.subscribe;
  }

  #hear(header: RpcHeader): void {
    this.#heard.push({ ...blockOf(fieldsOf(header)), hash: header.hash, heardMs: performance.now() });
    if (this.#heard.length > LIVE_BLOCKS) this.#heard.shift();
    void this.#askCertificate();
    if (!this.#isShowing) this.#showSoon();
  }

  #showSoon(): void {
    this.#isShowing = true;
    void this.#show().finally(() =>
      setTimeout(() => {
        this.#isShowing = false;
        if (this.#heard.length > 0) this.#showSoon();
      }, SHOW_MS),
    );
  }

  /** Counts the transactions of what was heard, and shows it. */
  async #show(): Promise<void> {
    const heard = this.#heard;
    this.#heard = [];
    try {
      const first = heard[0];
      const { head } = this.#store.get();
      const missed =
        first === undefined || head < 0 || first.number <= head + 1
          ? []
          : await readBlocks(this.#rpc, Math.max(head + 1, first.number - PAST_BLOCKS), first.number - 1);
      this.#add([...missed, ...(await countTransactions(this.#rpc, heard))]);
      await this.#fetchTransactions(heard);
    } catch {
      // The node does not answer: the socket's state says so, and the next news brings what was missed.
    }
  }

  /** Reads the newest blocks: all there is when the page is opened, what was missed when the connection is back. */
  async #catchUp(): Promise<void> {
    try {
      const head = toNumber(await this.#rpc.call<string>("eth_blockNumber"));
      const past = await readBlocks(this.#rpc, Math.max(0, head - PAST_BLOCKS + 1), head);
      const { blocks } = this.#store.get();
      const first = blocks[0]?.number ?? head + 1;
      const last = blocks.at(-1)?.number ?? -1;
      const older = past.filter(({ number }) => number < first);
      const newer = past.filter(({ number }) => number > last && number >= first);
      const state = this.#store.get();
      this.#store.set({ ...state, blocks: [...older, ...state.blocks].slice(-LIVE_BLOCKS) });
      this.#add(newer);
      void this.#askCertificate();
      await this.#fetchTransactions(past);
    } catch {
      // As above.
    }
  }

  #add(added: readonly LiveBlock[]): void {
    const state = this.#store.get();
    let { blocks, replaced } = state;
    for (const block of added) {
      // On a mined chain a branch may replace what was shown.
      const kept = blocks.findIndex(({ number }) => number >= block.number);
      if (kept >= 0) {
        replaced += blocks.length - kept;
        blocks = blocks.slice(0, kept);
      }
      blocks = pushBounded(blocks, [block], LIVE_BLOCKS);
    }
    const head = blocks.at(-1)?.number ?? state.head;
    this.#store.set({ ...state, blocks, head, replaced, certified: Math.min(state.certified, head) });
  }

  async #fetchTransactions(blocks: readonly LiveBlock[]): Promise<void> {
    const wanted: (readonly [number, number])[] = [];
    for (const { number, transactions } of [...blocks].reverse()) {
      const { transactions: counted = transactions } =
        this.#store.get().blocks.find((block) => block.number === number) ?? {};
      const least = Math.max(0, counted - TRANSACTIONS_OF_BLOCK);
      for (let index = counted - 1; index >= least; index--) wanted.push([number, index]);
      if (wanted.length >= LIVE_TRANSACTIONS) break;
    }
    if (wanted.length === 0) return;
    const found = await Promise.all(
      wanted.map(([number, index]) =>
        this.#rpc.call<RpcTransaction | null>("eth_getTransactionByBlockNumberAndIndex", [
          toQuantity(number),
          toQuantity(index),
        ]),
      ),
    );
    const state = this.#store.get();
    const newest = found.filter((transaction) => transaction !== null);
    const hashes = new Set(newest.map(({ hash }) => hash));
    const older = state.transactions.filter(({ hash }) => !hashes.has(hash));
    const sorted = [...newest, ...older].sort(byPlace);
    this.#store.set({ ...state, transactions: sorted.slice(0, LIVE_TRANSACTIONS) });
  }

  /** Asks for the newest certificate until the head has one. */
  async #askCertificate(): Promise<void> {
    if (this.#isAskingCertificate) return;
    this.#isAskingCertificate = true;
    clearTimeout(this.#certificateTimer);
    try {
      this.#certify(await readCertified(this.#rpc));
    } catch {
      // As above.
    } finally {
      this.#isAskingCertificate = false;
    }
    const { head, certified } = this.#store.get();
    const isWaiting = certified >= 0 && (certified < head || this.#heard.length > 0);
    if (isWaiting) this.#certificateTimer = setTimeout(() => void this.#askCertificate(), CERTIFICATE_MS);
  }

  #certify(certified: number): void {
    const state = this.#store.get();
    const nowMs = performance.now();
    const mark = (block: LiveBlock): LiveBlock =>
      block.number > certified || block.heardMs === undefined || block.certifiedMs !== undefined
        ? block
        : { ...block, certifiedMs: nowMs };
    this.#heard = this.#heard.map(mark);
    if (certified <= state.certified) return;
    this.#store.set({ ...state, certified, blocks: state.blocks.map(mark) });
  }
}

/** Newest first. */
function byPlace(a: RpcTransaction, b: RpcTransaction): number {
  const blocks = toNumber(b.blockNumber ?? "0x0") - toNumber(a.blockNumber ?? "0x0");
  return blocks !== 0
    ? blocks
    : toNumber(b.transactionIndex ?? "0x0") - toNumber(a.transactionIndex ?? "0x0");
}

/** A chain without certificates (mined) has blocks that are final by depth. */
async function readCertified(rpc: RpcClient): Promise<number> {
  const certificate = await rpc.call<RpcCertificate | null>("ostrom_getStateCertificate", ["finalized"]);
  if (certificate !== null) return toNumber(certificate.height);
  const block = await rpc.call<RpcHeader | null>("eth_getBlockByNumber", ["finalized", false]);
  return block === null ? -1 : toNumber(block.number);
}

function fieldsOf(header: RpcHeader): HeaderFields {
  return {
    parentHash: header.parentHash,
    miner: header.miner,
    number: toNumber(header.number),
    gasLimit: toNumber(header.gasLimit),
    gasUsed: toNumber(header.gasUsed),
    timestamp: toNumber(header.timestamp),
    baseFeePerGas: BigInt(header.baseFeePerGas ?? 0),
  };
}
