import { setTimeout as sleep } from "node:timers/promises";
import { blockStatements } from "./block-statements.ts";
import type { ReadBlock, Tip } from "./chain-answers.ts";
import { type ChainSource, readBlocks, readTip } from "./chain-source.ts";
import { bytes, type Database } from "./database.ts";
import { hex, tipAt, unwindTo } from "./unwind.ts";

/** Follows a chain into a database: every block is written in one transaction, so that after any interruption the index is that of a
 * whole block, and goes on from there. */
export type Follower = {
  readonly progress: () => Progress;
  /** Resolves when it has ended, which only its signal makes it do. */
  readonly ended: Promise<void>;
};

export type Progress = {
  readonly indexed: Tip | undefined;
  /** Of the node; undefined while it does not answer. */
  readonly head: number | undefined;
  /** What is wrong now. */
  readonly problem: string | undefined;
};

export type FollowerOptions = {
  readonly source: ChainSource;
  readonly database: Database;
  readonly signal: AbortSignal;
  /** Called after each write and each unwinding. */
  readonly onTip?: (tip: Tip | undefined) => void;
  /** Called with each thing that goes wrong; it tries again by itself. */
  readonly onProblem?: (problem: string) => void;
};

/** Transactions that one write takes at most, unless one block has more: it is also how long readers of an embedded database wait. */
const WRITE_TRANSACTIONS = 2_000;
const WRITE_BLOCKS = 64;
/** Blocks asked for at once: adapts to their size. */
const MAX_WINDOW = 64;
const WINDOW_TRANSACTIONS = 4_000;
const FIRST_PAUSE_MS = 500;
const LAST_PAUSE_MS = 10_000;
/** Hashes compared in one step back, when the node has other blocks than the index. */
const COMPARED_BLOCKS = 64;

/** Starts to follow. */
export function follow(options: FollowerOptions): Follower {
  const follower = new ChainFollower(options);
  return { progress: () => follower.progress(), ended: follower.run() };
}

class ChainFollower {
  readonly #options: FollowerOptions;
  #tip: Tip | undefined;
  #head: number | undefined;
  #problem: string | undefined;
  #window = 1;
  #isOpened = false;
  #wake: (() => void) | undefined;
  #hasNews = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  progress(): Progress {
    return { indexed: this.#tip, head: this.#head, problem: this.#problem };
  }

  async run(): Promise<void> {
    const { source, signal } = this.#options;
    const stopWatching = source.watch(() => this.#notice());
    signal.addEventListener("abort", () => this.#notice());
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      try {
        await this.#open();
        await this.#catchUp();
        this.#problem = undefined;
        pauseMs = FIRST_PAUSE_MS;
        await this.#news();
      } catch (error) {
        this.#problem = (error as Error).message;
        this.#options.onProblem?.(this.#problem);
        // What the database holds now is read again: a write may have gone through though its answer was lost.
        this.#isOpened = false;
        await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
        pauseMs = Math.min(LAST_PAUSE_MS, pauseMs * 2);
      }
    }
    stopWatching();
  }

  #notice(): void {
    this.#hasNews = true;
    this.#wake?.();
  }

  async #news(): Promise<void> {
    if (!this.#hasNews) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#hasNews = false;
  }

  async #open(): Promise<void> {
    if (this.#isOpened) return;
    this.#tip = await openProgress(this.#options);
    this.#isOpened = true;
    this.#options.onTip?.(this.#tip);
  }

  async #catchUp(): Promise<void> {
    const { source, signal } = this.#options;
    while (!signal.aborted) {
      const head = await readTip(source);
      if (head === undefined) return;
      this.#head = head.number;
      const isOther = await this.#leaveOtherBranch(head);
      const next = (this.#tip?.number ?? -1) + 1;
      if (!isOther && next > head.number) return;
      await this.#readUpTo(head.number);
    }
  }

  /** While a run of blocks is written, the next one is read. */
  async #readUpTo(last: number): Promise<void> {
    let reading = this.#readAfter(this.#tip?.number ?? -1, last);
    for (;;) {
      const blocks = await reading;
      const newest = blocks.at(-1);
      if (newest === undefined || this.#options.signal.aborted) return;
      const number = Number(newest.block.number);
      const following = this.#readAfter(number, last);
      // It is awaited below; until then nobody would hear that it failed.
      following.catch(() => undefined);
      const isConnected = await this.#write(blocks);
      reading = following;
      if (!isConnected) {
        await following.catch(() => undefined);
        return;
      }
    }
  }

  async #readAfter(number: number, last: number): Promise<readonly ReadBlock[]> {
    const count = Math.min(this.#window, last - number);
    if (count <= 0) return [];
    const blocks = await readBlocks(this.#options.source, number + 1, count);
    const transactions = blocks.reduce((sum, { block }) => sum + block.transactions.length, 0);
    const isSmall = blocks.length === count && transactions < WINDOW_TRANSACTIONS / 2;
    if (isSmall) this.#window = Math.min(MAX_WINDOW, this.#window * 2);
    else if (blocks.length < count || transactions > WINDOW_TRANSACTIONS)
      this.#window = Math.max(1, this.#window >> 1);
    return blocks;
  }

  /** @returns false where the blocks do not follow on what is in the index: the chain has others now. */
  async #write(blocks: readonly ReadBlock[]): Promise<boolean> {
    for (const run of runsOf(blocks)) {
      if (!isChain(this.#tip, run)) return false;
      await this.#options.database.transaction(blockStatements(run, this.#tip));
      const { block } = run.at(-1)!;
      this.#tip = { number: Number(block.number), hash: block.hash };
      this.#options.onTip?.(this.#tip);
    }
    return true;
  }

  /** Unwinds what the node no longer has. A node that only lags behind is no reason to. */
  async #leaveOtherBranch(head: Tip): Promise<boolean> {
    const tip = this.#tip;
    if (tip === undefined) return false;
    const { database, source } = this.#options;
    const compared = Math.min(tip.number, head.number);
    const own = compared === tip.number ? tip.hash : (await tipAt(database, compared))?.hash;
    const theirs = compared === head.number ? head.hash : (await readTip(source, compared))?.hash;
    if (own === theirs) return false;
    const kept = await commonAncestor(database, source, compared);
    this.#tip = await unwindTo(database, kept, tip);
    this.#options.onTip?.(this.#tip);
    return true;
  }
}

/** Runs of blocks that are written together. */
function* runsOf(blocks: readonly ReadBlock[]): Generator<readonly ReadBlock[]> {
  let run: ReadBlock[] = [];
  let transactions = 0;
  for (const read of blocks) {
    const count = read.block.transactions.length;
    const isFull = run.length >= WRITE_BLOCKS || transactions + count > WRITE_TRANSACTIONS;
    if (isFull && run.length > 0) {
      yield run;
      run = [];
      transactions = 0;
    }
    run.push(read);
    transactions += count;
  }
  if (run.length > 0) yield run;
}

function isChain(tip: Tip | undefined, run: readonly ReadBlock[]): boolean {
  let parent = tip?.hash;
  return run.every(({ block }) => {
    const isNext = parent === undefined || block.parentHash === parent;
    parent = block.hash;
    return isNext;
  });
}

/** Newest block that both have, at or below a number. */
async function commonAncestor(database: Database, source: ChainSource, from: number): Promise<number> {
  for (let last = from; last >= 0; last -= COMPARED_BLOCKS) {
    const first = Math.max(0, last - COMPARED_BLOCKS + 1);
    const rows = await database.query({
      text: `SELECT number::text, ${hex("hash")} AS hash FROM blocks WHERE number BETWEEN $1::bigint AND $2::bigint ORDER BY number DESC`,
      parameters: [first, last],
    });
    const theirs = await source.askMany(
      rows.map(({ number }) => ({
        method: "eth_getBlockByNumber",
        params: [`0x${Number(number).toString(16)}`, false],
      })),
    );
    const found = rows.findIndex(
      ({ hash }, index) => (theirs[index]?.result as { readonly hash: string } | null)?.hash === hash,
    );
    if (found !== -1) return Number(rows[found]!["number"]);
  }
  return -1;
}

/** Where the index stands. A new one is tied to the chain's first block; one of another chain is left alone.
 * @throws Error if the database belongs to another chain. */
async function openProgress({ database, source }: FollowerOptions): Promise<Tip | undefined> {
  const genesis = await readTip(source, 0);
  if (genesis === undefined) throw new Error("the node has no first block");
  const chainId = Number(await source.ask<string>("eth_chainId", []));
  await database.query({
    text: `INSERT INTO progress (id, chain_id, genesis_hash, number, hash, traced) VALUES (1, $1::bigint, $2::bytea, -1, NULL, -1)
      ON CONFLICT (id) DO NOTHING`,
    parameters: [chainId, bytes(genesis.hash)],
  });
  const [row] = await database.query({
    text: `SELECT number::text, ${hex("hash")} AS hash, ${hex("genesis_hash")} AS genesis FROM progress`,
  });
  if (row?.["genesis"] !== genesis.hash)
    throw new Error(
      `this index is of another chain (genesis ${String(row?.["genesis"])}, the node's is ${genesis.hash}): name another database, or delete this one`,
    );
  const number = Number(row["number"]);
  return number < 0 ? undefined : { number, hash: String(row["hash"]) };
}
