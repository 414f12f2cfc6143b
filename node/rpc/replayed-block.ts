import { fail, type Result, toHex } from "@ostrom/base";
import { BlockReplay, type Header, type ReplayInput, type SignedTransaction } from "@ostrom/execution";
import type { Block } from "./backend.ts";
import type { TracedChain, TraceFailure } from "./trace-port.ts";

type Answer = Result<string, TraceFailure>;

/** Opens the block for another run, on the state before it, and hands it to `use`. */
export function withReplay(
  chain: TracedChain,
  blockNumber: number,
  use: (replay: BlockReplay, block: Block) => Answer,
): Answer {
  if (blockNumber === 0) return fail("rpc/genesis", "genesis is not traceable");
  const block = chain.reads.block(blockNumber);
  if (block === undefined)
    return fail("rpc/unknown-block", `block ${blockNumber} is not here, or its body is pruned`);
  return onStateAfter(chain, blockNumber - 1, block.header, (replay) => {
    replay.begin();
    return use(replay, block);
  });
}

/** Opens a run in the block of `header`, on the state after another. */
export function onStateAfter(
  chain: TracedChain,
  stateOf: number,
  header: Header,
  use: (replay: BlockReplay) => Answer,
  overrides: Pick<ReplayInput, "accountOverrides" | "blockOverride"> = {},
): Answer {
  const { rules, modules, epochs, blockHash } = chain;
  const view = chain.reads.stateAt(stateOf);
  if (!view.ok) return view;
  try {
    const origin = chain.origin(header.number);
    const input = { rules, modules, epochs, blockHash, header, origin, state: view.value.reader };
    const replay = BlockReplay.open({ ...input, ...overrides });
    return replay.ok ? use(replay.value) : replay;
  } finally {
    view.value.release();
  }
}

/** Runs the block's transactions before this one. */
export function skipTo(
  replay: BlockReplay,
  { transactions }: Block,
  index: number,
): TraceFailure | undefined {
  for (const transaction of transactions.slice(0, index)) {
    const applied = replay.apply(transaction);
    if (!applied.ok) return notReplayed(transaction, applied.error);
  }
  return undefined;
}

/** A transaction of a block ran once; if it does not run now, this node's program or state is not the chain's. */
export function notReplayed({ hash }: SignedTransaction, { code, message }: TraceFailure): TraceFailure {
  return {
    code: "rpc/replay",
    message: `transaction ${toHex(hash)} does not run again: ${code}: ${message}`,
  };
}
