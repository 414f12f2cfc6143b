import { type Bytes, Epoch, type Hash, Height, must, View } from "@ostrom/base";
import {
  type Certificate,
  type ConsensusDomain,
  consensusDomain,
  type Executed,
  encodeBlock,
  encodeCertificate,
  executedSigningBytes,
  type FinalizedTip,
  type OrderedBlock,
  orderDigest,
  type StateCertificate,
  ValidatorIndex,
  type ValidatorSet,
  voteSigningBytes,
} from "@ostrom/consensus";
import { bls, writeSigners } from "@ostrom/crypto";
import {
  EMPTY_PAYLOAD,
  encodePayload,
  type Genesis,
  genesisHash,
  type SignedTransaction,
} from "@ostrom/execution";
import type { ExecutionReport, OrderedInput } from "../execution-port.ts";
import { consensusSet } from "../validator-sets.ts";
import { simulatedGenesis, validatorSecret } from "./simulated-genesis.ts";

const BLOCK_INTERVAL_MS = 1_000;

/** Final blocks one after another, signed by everybody, made by hand. */
export class OrderedChain {
  readonly genesis: Genesis;
  readonly domain: ConsensusDomain;
  readonly validators: ValidatorSet;
  readonly blocks: { readonly block: OrderedBlock; readonly digest: Hash }[] = [];

  readonly #isSigned: boolean;

  /** @param options without signatures, blocks cost less; only who verifies them sees the difference. */
  constructor(
    genesis: Genesis = simulatedGenesis({ validators: 4, clients: 4 }),
    options: { readonly isSigned?: boolean } = {},
  ) {
    this.genesis = genesis;
    this.#isSigned = options.isSigned ?? true;
    const { rules, validatorSet } = genesis;
    this.domain = consensusDomain(genesisHash(genesis), rules.hashId, validatorSet.schemeId);
    this.validators = consensusSet(genesis.validatorSet, 0);
  }

  /** Makes the next block. @param view defaults to the one after the last block's. */
  append(
    transactions: readonly SignedTransaction[] = [],
    change: Partial<Pick<OrderedBlock, "view" | "stateCertificate" | "payload" | "timestampMs">> = {},
  ): { readonly block: OrderedBlock; readonly digest: Hash } {
    const parent = this.blocks.at(-1);
    const height = this.blocks.length + 1;
    const view = change.view ?? View((parent?.block.view ?? 0) + 1);
    const block: OrderedBlock = {
      epoch: Epoch(0),
      view,
      height: Height(height),
      parent: parent?.digest ?? this.domain.genesisHash,
      parentView: parent?.block.view ?? View(0),
      timestampMs: this.genesis.timestampMs + height * BLOCK_INTERVAL_MS,
      proposer: ValidatorIndex(height % this.validators.validators.length),
      stateCertificate: parent?.block.stateCertificate,
      payload: transactions.length === 0 ? EMPTY_PAYLOAD : encodePayload(transactions.map(({ raw }) => raw)),
      ...change,
    };
    const made = { block, digest: orderDigest(this.domain, block) };
    this.blocks.push(made);
    return made;
  }

  at(height: number): { readonly block: OrderedBlock; readonly digest: Hash } {
    return must(this.blocks[height - 1], "the block must have been made");
  }

  finalizationOf(height: number): Certificate {
    const { block, digest } = this.at(height);
    const vote = { kind: "finalize", epoch: block.epoch, view: block.view, digest } as const;
    const signed = this.#sign(voteSigningBytes(this.domain, vote));
    return {
      kind: "finalization",
      schemeId: this.domain.signatures.schemeId,
      epoch: block.epoch,
      view: block.view,
      digest,
      ...signed,
    };
  }

  stateCertificateOf(executed: Executed): StateCertificate {
    const signed = this.#sign(executedSigningBytes(this.domain, executed));
    return { schemeId: this.domain.signatures.schemeId, executed, ...signed };
  }

  /** What execution is given. @param finalizedAt height of the block whose finalization made this one final. */
  inputOf(height: number, finalizedAt: number = height): OrderedInput {
    const { block, digest } = this.at(height);
    return {
      height,
      view: block.view,
      epoch: block.epoch,
      timestampMs: block.timestampMs,
      orderDigest: digest,
      proposer: must(this.validators.validators[block.proposer], "the proposer is a validator").address,
      senders: new Uint8Array(0),
      orderedBlock: encodeBlock(block),
      finalization: encodeCertificate(this.finalizationOf(finalizedAt)),
    };
  }

  /** The chain below its first block, as consensus starts from it. */
  genesisTip(): FinalizedTip {
    return {
      epoch: Epoch(0),
      view: View(0),
      height: Height(0),
      digest: this.domain.genesisHash,
      timestampMs: this.genesis.timestampMs,
      stateCertificate: undefined,
      finalization: undefined,
    };
  }

  #sign(message: Bytes): { readonly signers: Bytes; readonly signature: Bytes } {
    const indices = this.validators.validators.map((_, index) => index);
    if (!this.#isSigned)
      return { signers: writeSigners(indices.length, indices), signature: new Uint8Array(96) };
    const signatures = indices.map((index) => bls().sign(validatorSecret(index), message));
    return {
      signers: writeSigners(indices.length, indices),
      signature: must(bls().aggregate(signatures), "signatures add up"),
    };
  }
}

/** What a report says of a block, in the words that validators sign. */
export function executedOf(report: ExecutionReport): Executed {
  return {
    epoch: Epoch(report.epoch),
    height: Height(report.height),
    orderDigest: report.orderDigest,
    executedHash: report.executedHash,
    nextSetHash: report.nextSetHash,
  };
}
