import type { Bytes, Epoch, Hash, Height, Weight } from "@ostrom/base";

/** A validator of an epoch as epoch checkpoints know it. */
export type CheckpointMember = {
  /** keccak256 of its consensus key: says whose checkpoint key this is. */
  readonly consensusKeyHash: Hash;
  readonly weight: Weight;
  /** keccak256 of its checkpoint key; undefined: it has none, and its weight counts against the quorum all the same. */
  readonly keyHash: Hash | undefined;
};

/** Who certifies checkpoints: the validators of an epoch, in the order of their set. */
export type CheckpointSet = {
  readonly epoch: Epoch;
  readonly members: readonly CheckpointMember[];
};

/** What an epoch came to. It follows from the chain alone: whoever executed the epoch's last block signs the same. */
export type CheckpointStatement = {
  readonly epoch: Epoch;
  /** Of the epoch's last block. */
  readonly height: Height;
  /** Hash of that block's header, which covers the whole history below it. */
  readonly executedHash: Hash;
  /** `validatorSetHash` of the next epoch's set. */
  readonly nextSetHash: Hash;
  /** `checkpointSetHash` of the next epoch's. */
  readonly nextCheckpointSetHash: Hash;
};

/** A key and its signature on a statement. The key is here because state keeps only its hash. */
export type CheckpointSignature = { readonly publicKey: Bytes; readonly signature: Bytes };

export type CheckpointVote = CheckpointSignature & { readonly statement: CheckpointStatement };

/** Signatures of whichever keys on one statement: what nodes tell each other. */
export type CheckpointVotes = {
  readonly statement: CheckpointStatement;
  readonly signatures: readonly CheckpointSignature[];
};

/** Weight >= q of one checkpoint set on a statement. */
export type CheckpointCertificate = {
  readonly statement: CheckpointStatement;
  /** Epoch of the set that signed: the statement's, or an earlier one, where epochs in between have no certificate. */
  readonly setEpoch: Epoch;
  /** Bitmap over that set's members, as in Certificate.signers. */
  readonly signers: Bytes;
  /** In the order of the signers. */
  readonly signatures: readonly CheckpointSignature[];
};

/** Two statements that one key has signed for one epoch: no honest validator makes both. */
export type CheckpointEvidence = { readonly first: CheckpointVote; readonly second: CheckpointVote };
