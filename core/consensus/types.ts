import type { Address, Brand, Bytes, Epoch, Hash, Height, View, Weight } from "@ostrom/base";
import { assert } from "@ostrom/base";
import type { CheckpointVotes } from "./checkpoints/types.ts";

/** Position of a validator in the ValidatorSet of its epoch, 0-based. */
export type ValidatorIndex = Brand<number, "ValidatorIndex">;

export function ValidatorIndex(value: number): ValidatorIndex {
  assert(Number.isSafeInteger(value) && value >= 0, "a validator index must be a safe non-negative integer");
  return value as ValidatorIndex;
}

/** Id of the signature scheme of an epoch's votes and certificates, as core/crypto's registry has it. */
export type SchemeId = number;

/** Id of the hash function that makes order digests, as core/crypto's registry has it. */
export type HashId = number;

/** More validators than a set may have. Bounds bitmaps before they are allocated. */
export const MAX_VALIDATORS = 1024;
/** Longest payload of one block, in bytes. */
export const MAX_PAYLOAD_BYTES: number = 2 * 1024 * 1024;
/** Most blocks in one answer to a block-range request, beside the sealing blocks that end it. */
export const MAX_RANGE_BLOCKS = 256;
/** Most sealing blocks that the proof of an epoch's end may hold: so many views in a row, each notarized and none final, while
 * leaders propose ever more slowly (rule E2). */
export const MAX_SEALING_BLOCKS = 1024;
/** Most encoded bytes of the blocks in one such answer. */
export const MAX_RANGE_BYTES: number = 6 * 1024 * 1024;
/** Longest encoded message of any kind: the longest range, and its finalization signed by all of MAX_VALIDATORS with ML-DSA-65 (3.3 MB). */
export const MAX_MESSAGE_BYTES: number = 12 * 1024 * 1024;

export type Validator = {
  /** Receives the fees of the blocks it proposes. */
  readonly address: Address;
  /** Public key of the set's scheme; its possession was proved when it was admitted. */
  readonly consensusKey: Bytes;
  /** Public key that its end of a link proves (SubjectPublicKeyInfo or as the network package has it). */
  readonly transportKey: Bytes;
  readonly weight: Weight;
};

export type ValidatorSet = {
  readonly epoch: Epoch;
  readonly schemeId: SchemeId;
  readonly validators: readonly Validator[];
  /** Leaders are drawn by it, where the chain's state has drawn one for the epoch; by the genesis hash otherwise. It is no part of
   * `validatorSetHash`: the state root that a quorum has certified before the epoch begins covers it. */
  readonly leaderSeed?: Hash | undefined;
};

/** What binds every signed byte of consensus to one chain and one choice of cryptography. Functions that take a validator set besides work by the
 * set's scheme (`domainOfSet`), whatever `signatures` is; those without one work by `signatures`. */
export type ConsensusDomain = {
  readonly genesisHash: Hash;
  readonly hashId: HashId;
  readonly hash: (data: Bytes) => Hash;
  readonly signatures: Signatures;
  /** The schemes of other epochs. @returns undefined for one that validators cannot vote with. */
  readonly signaturesOf: (schemeId: SchemeId) => Signatures | undefined;
};

/** A signature scheme as consensus sees it. signatures.ts binds them to core/crypto; a simulator may put something cheaper here. A scheme without
 * aggregation joins signatures in the order of their signers' indices. */
export type Signatures = {
  readonly schemeId: SchemeId;
  /** Whether joined signatures are checked in one operation; otherwise each is, and those that were checked before need not be again. */
  readonly aggregates: boolean;
  readonly verifyOne: (publicKey: Bytes, message: Bytes, signature: Bytes) => boolean;
  /** @returns undefined if a signature is malformed or the list is empty. */
  readonly aggregate: (signatures: readonly Bytes[]) => Bytes | undefined;
  /** All signed the same message. False for an empty list. */
  readonly verifyAggregate: (publicKeys: readonly Bytes[], message: Bytes, aggregate: Bytes) => boolean;
};

/** A block as it is ordered, before anybody executes it. The payload is opaque to consensus. */
export type OrderedBlock = {
  readonly epoch: Epoch;
  readonly view: View;
  readonly height: Height;
  /** Order digest of the block before it; the genesis hash for height 1. */
  readonly parent: Hash;
  /** View of the parent in this epoch; 0 if the parent is genesis or of an earlier epoch. */
  readonly parentView: View;
  /** Milliseconds since 1970; strictly above the parent's. */
  readonly timestampMs: number;
  readonly proposer: ValidatorIndex;
  /** Of an ancestor, no older than the parent's. undefined only until one exists. */
  readonly stateCertificate: StateCertificate | undefined;
  readonly payload: Bytes;
};

export type VoteKind = "notarize" | "nullify" | "finalize";

/** What a validator says about a view. `digest` is ZERO_HASH in a nullify, which is about no block. */
export type Vote = {
  readonly kind: VoteKind;
  readonly epoch: Epoch;
  readonly view: View;
  readonly digest: Hash;
};

export type SignedVote = { readonly vote: Vote; readonly signer: ValidatorIndex; readonly signature: Bytes };

export type CertificateKind = "notarization" | "nullification" | "finalization";

/** Signatures of validators with weight >= q on one vote. */
export type Certificate = {
  readonly kind: CertificateKind;
  readonly schemeId: SchemeId;
  readonly epoch: Epoch;
  readonly view: View;
  /** ZERO_HASH in a nullification. */
  readonly digest: Hash;
  /** Bitmap of ceil(n/8) bytes: validator i is bit i%8 (from the lowest) of byte floor(i/8); other bits are 0. */
  readonly signers: Bytes;
  /** The aggregate, or the signatures in the order of their signers' indices, one after the other. */
  readonly signature: Bytes;
};

/** The result of executing one finalized block. */
export type Executed = {
  readonly epoch: Epoch;
  readonly height: Height;
  readonly orderDigest: Hash;
  /** Hash of the executed block's header. */
  readonly executedHash: Hash;
  /** Hash of the validator set that follows from the state after this block. */
  readonly nextSetHash: Hash;
};

export type SignedExecuted = {
  readonly executed: Executed;
  readonly signer: ValidatorIndex;
  readonly signature: Bytes;
};

/** Weight >= q on one Executed: the one object about state that light clients, snapshots and proofs accept. */
export type StateCertificate = {
  readonly schemeId: SchemeId;
  readonly executed: Executed;
  readonly signers: Bytes;
  readonly signature: Bytes;
};

/** What validators say to each other. The link tells who the sender is. */
export type Message =
  /** The leader's block; the signature is its Notarize vote for it. Only the leader itself sends it. */
  | { readonly kind: "proposal"; readonly block: OrderedBlock; readonly signature: Bytes }
  /** Only the signer itself sends it. */
  | { readonly kind: "vote"; readonly vote: SignedVote }
  | { readonly kind: "certificate"; readonly certificate: Certificate }
  /** Asks for a certificate of a view: of that kind, or whichever the receiver holds. */
  | {
      readonly kind: "certificate-request";
      readonly epoch: Epoch;
      readonly view: View;
      readonly want: CertificateKind | "any";
    }
  /** Asks for the body of a notarized block. */
  | { readonly kind: "block-request"; readonly epoch: Epoch; readonly view: View; readonly digest: Hash }
  | { readonly kind: "block"; readonly block: OrderedBlock }
  /** Block sync: asks for finalized blocks from a height upward. The runtime answers it from its store. */
  | { readonly kind: "block-range-request"; readonly fromHeight: Height }
  /** Consecutive finalized blocks of one epoch, and the finalization certificate of the last; sealing blocks, if they are the epoch's
   * last ones. Where none of the blocks that one answer holds was finalized itself: the certificate of their next descendant
   * that was, and the epoch's last block is not among them (rule S11). */
  | {
      readonly kind: "block-range";
      readonly blocks: readonly OrderedBlock[];
      readonly finalization: Certificate;
    }
  /** A validator that lost its log asks how far the others are. */
  | { readonly kind: "view-request"; readonly epoch: Epoch }
  /** The view the sender is in, and what admitted it there (undefined only in view 1). */
  | {
      readonly kind: "view-report";
      readonly epoch: Epoch;
      readonly view: View;
      readonly certificate: Certificate | undefined;
    }
  | { readonly kind: "executed"; readonly executed: SignedExecuted }
  | { readonly kind: "state-certificate"; readonly certificate: StateCertificate }
  /** Asks for the newest state certificate, if it is of this height or above. */
  | { readonly kind: "state-certificate-request"; readonly height: Height }
  /** Signatures on an epoch's checkpoint: the sender's own, or all that it was asked for. */
  | { readonly kind: "checkpoint-votes"; readonly votes: CheckpointVotes }
  /** Asks for what the sender has of the first checkpoint of this epoch or a later one. */
  | { readonly kind: "checkpoint-request"; readonly epoch: Epoch };

export type MessageKind = Message["kind"];

/** What shows that the last block of an epoch is final: the sealing blocks above it, in height order, up to the one that the
 * finalization is for. None of them if it was finalized itself. */
export type SealProof = {
  readonly sealing: readonly OrderedBlock[];
  readonly finalization: Certificate;
};

/** Two statements of one validator that no honest one makes both; the signatures of both were verified. */
export type Evidence =
  | {
      readonly kind: "votes";
      readonly validator: ValidatorIndex;
      readonly first: SignedVote;
      readonly second: SignedVote;
    }
  | {
      readonly kind: "results";
      readonly validator: ValidatorIndex;
      readonly first: SignedExecuted;
      readonly second: SignedExecuted;
    };
