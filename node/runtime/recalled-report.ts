import { assert, type Bytes, equalBytes, must, toHexDigits, unwrap } from "@ostrom/base";
import { decodeBlock } from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import {
  type BlockOrigin,
  type ChainRules,
  type EpochSchedule,
  frozenHeight,
  isSameValidatorSet,
  nextBaseFee,
  rekeyedAccounts,
  type Skipped,
  type ValidatorSet,
} from "@ostrom/execution";
import { readUndo } from "@ostrom/state";
import {
  readBody,
  readHead,
  readHeader,
  readReceipts,
  readSkipped,
  readStoredValidatorSet,
  type StoreView,
} from "@ostrom/storage";
import type { ExecutionReport, FrozenSet, OrderedInput } from "./execution-port.ts";
import { orderedTransactions } from "./ordered-transactions.ts";

/** Reads what came of the newest block of a store: the executor that wrote it has died before it could tell.
 * `changed` is empty if no reverse differences are kept.
 * @param epochs undefined where blocks are mined. */
export function recallReport(
  store: StoreView,
  input: OrderedInput,
  rules: ChainRules,
  epochs: EpochSchedule | undefined,
): ExecutionReport {
  const { height, view, epoch, orderDigest } = input;
  assert(readHead(store)?.height === height, "only the newest block is recalled");
  const { header, hash, origin } = must(readHeader(store, height), "the head's header is stored");
  assert(equalBytes(origin.orderDigest, orderDigest), "the newest block is the one that was to be executed");
  const body = must(readBody(store, height), "the head's body is stored");
  return {
    height,
    view,
    epoch,
    orderDigest,
    executedHash: hash,
    nextSetHash: origin.nextSetHash,
    nextBaseFee: nextBaseFee(header, rules),
    gasUsed: header.gasUsed,
    included: body.map((transaction) => transaction.hash),
    skipped: skippedIn(store, input),
    rekeyed: rekeyedAccounts(must(readReceipts(store, height), "the head's receipts are stored")),
    changed: (readUndo(store, height)?.accounts ?? []).map(({ address }) => toHexDigits(address)),
    frozen: frozenBy(store, input, epochs),
  };
}

/** Why state's set was refused, if it was, is not stored. */
function frozenBy(
  store: StoreView,
  { height, epoch }: OrderedInput,
  epochs: EpochSchedule | undefined,
): FrozenSet | undefined {
  if (epochs === undefined || height !== frozenHeight(epochs, epoch)) return undefined;
  const [before, next] = [epoch, epoch + 1].map((one) =>
    must(readStoredValidatorSet(store, one), "the sets of this epoch and the next are stored"),
  ) as [ValidatorSet, ValidatorSet];
  return { epoch: epoch + 1, isChanged: !isSameValidatorSet(before, next), refused: undefined, leftOut: [] };
}

/** What a block orders, and where it comes from, as the engine that ordered it wrote it down: the same for a block that this node voted
 * on and for one that it has synced. */
export function orderedOf({ mined, orderedBlock }: Pick<OrderedInput, "mined" | "orderedBlock">): {
  readonly payload: Bytes;
  /** undefined for a mined block. */
  readonly origin: BlockOrigin | undefined;
} {
  if (mined !== undefined) return { payload: orderedBlock, origin: undefined };
  const { epoch, view, proposer, stateCertificate, payload } = unwrap(decodeBlock(orderedBlock));
  if (stateCertificate === undefined)
    return { payload, origin: { epoch, view, proposer, certified: undefined } };
  const { executed, signers } = stateCertificate;
  const certified = { epoch: executed.epoch, height: executed.height, signers };
  return { payload, origin: { epoch, view, proposer, certified } };
}

function skippedIn(store: StoreView, input: OrderedInput): readonly Skipped[] {
  const { height } = input;
  const { raws, signedAt } = orderedTransactions(orderedOf(input).payload, input);
  const skipped: Skipped[] = [];
  for (const [index, raw] of raws.entries()) {
    const hash = signedAt(index)?.hash ?? keccak256(raw);
    const stored = readSkipped(store, hash);
    if (stored?.height === height) skipped.push({ hash, reason: stored.reason });
  }
  return skipped;
}
