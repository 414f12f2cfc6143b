import { Address, type Bytes, Hash, utf8, Weight } from "@ostrom/base";
import {
  encodeRlp,
  RlpError,
  type RlpItem,
  readRlpBytes,
  readRlpCount,
  readRlpList,
  rlpUint,
} from "@ostrom/codec";
import type { Validator, ValidatorSet } from "@ostrom/execution";
import type { KeyValueReader, WriteOperation } from "@ostrom/state";
import { CHAIN_TABLES, chainKey, heightKey } from "./chain-keys.ts";
import { decodeRecord, readText } from "./chain-records.ts";
import { StorageError } from "./errors.ts";

/** Two statements of one validator that contradict each other; at most one piece for each epoch, validator and kind. */
export type StoredEvidence = {
  readonly epoch: number;
  /** Index in the set of that epoch. */
  readonly validator: number;
  readonly kind: EvidenceKind;
  /** As consensus encodes it. */
  readonly bytes: Bytes;
};

export type EvidenceKind = "votes" | "results" | "batches";

/** A set as it is fixed for an epoch. */
export type StoredValidatorSet = ValidatorSet & {
  /** Leaders of the epoch are drawn by it, where state has drawn one. */
  readonly leaderSeed?: Hash | undefined;
};

/** The write that fixes the set of an epoch. It goes with the block whose state decided it. */
export function validatorSetOperation(epoch: number, set: StoredValidatorSet): WriteOperation {
  return { key: heightKey(CHAIN_TABLES.validatorSet, epoch), value: encodeValidatorSet(set) };
}

/** The set of an epoch; undefined while it is not decided.
 * This and all readers below throw StorageError `storage/damaged`. */
export function readStoredValidatorSet(store: KeyValueReader, epoch: number): StoredValidatorSet | undefined {
  const bytes = store.get(heightKey(CHAIN_TABLES.validatorSet, epoch));
  return bytes === undefined ? undefined : decodeValidatorSet(bytes);
}

/** The same, as it is stored: for nodes that join. */
export function readStoredSetBytes(store: KeyValueReader, epoch: number): Bytes | undefined {
  return store.get(heightKey(CHAIN_TABLES.validatorSet, epoch))?.slice();
}

/** Reads what `readStoredSetBytes` gave another node. @returns undefined if it is no set. */
export function decodeForeignSet(bytes: Bytes): StoredValidatorSet | undefined {
  try {
    return decodeValidatorSet(bytes);
  } catch (error) {
    if (error instanceof StorageError) return undefined;
    throw error;
  }
}

/** The write that keeps what shows that an epoch's last block is final. @param proof as consensus encodes it. */
export function sealProofOperation(epoch: number, proof: Bytes): WriteOperation {
  return { key: heightKey(CHAIN_TABLES.sealProof, epoch), value: proof };
}

export function readSealProof(store: KeyValueReader, epoch: number): Bytes | undefined {
  return store.get(heightKey(CHAIN_TABLES.sealProof, epoch))?.slice();
}

/** The writes that keep evidence: none if there is a piece of that kind against that validator in that epoch already, because one
 * proves it, and a hostile validator can make any number. */
export function evidenceOperations(store: KeyValueReader, evidence: StoredEvidence): WriteOperation[] {
  const { epoch, validator, kind } = evidence;
  const ofEpoch = readEvidenceOf(store, epoch);
  if (ofEpoch.some((other) => other.validator === validator && other.kind === kind)) return [];
  const value = encodeEvidence([...ofEpoch, evidence]);
  const operations = [{ key: heightKey(CHAIN_TABLES.evidence, epoch), value }];
  if (ofEpoch.length > 0) return operations;
  const epochs = [...readEvidenceEpochs(store), epoch].sort((a, b) => a - b);
  return [
    ...operations,
    { key: chainKey(CHAIN_TABLES.evidenceEpochs), value: encodeRlp(epochs.map(rlpUint)) },
  ];
}

/** Evidence of an epoch and later ones, oldest epoch first. */
export function readEvidenceFrom(
  store: KeyValueReader,
  fromEpoch: number,
  limit: number,
): readonly StoredEvidence[] {
  const found: StoredEvidence[] = [];
  for (const epoch of readEvidenceEpochs(store)) {
    if (found.length >= limit) break;
    if (epoch >= fromEpoch) found.push(...readEvidenceOf(store, epoch));
  }
  return found.slice(0, limit);
}

function readEvidenceEpochs(store: KeyValueReader): readonly number[] {
  const bytes = store.get(chainKey(CHAIN_TABLES.evidenceEpochs));
  if (bytes === undefined) return [];
  return decodeRecord(bytes, "list of evidence", undefined, (items) =>
    items.map((item) => readRlpCount(item, "epoch")),
  );
}

function readEvidenceOf(store: KeyValueReader, epoch: number): readonly StoredEvidence[] {
  const bytes = store.get(heightKey(CHAIN_TABLES.evidence, epoch));
  if (bytes === undefined) return [];
  return decodeRecord(bytes, "evidence", undefined, (items) => items.map((item) => readPiece(item, epoch)));
}

/** The position is the code in the format. */
const EVIDENCE_KINDS: readonly EvidenceKind[] = ["votes", "results", "batches"];

/** A list of [validator, code of the kind, encoded evidence]. */
function encodeEvidence(pieces: readonly StoredEvidence[]): Bytes {
  return encodeRlp(
    pieces.map(({ validator, kind, bytes }) => [
      rlpUint(validator),
      rlpUint(EVIDENCE_KINDS.indexOf(kind)),
      bytes,
    ]),
  );
}

function readPiece(item: RlpItem, epoch: number): StoredEvidence {
  const fields = readRlpList(item, "piece of evidence", 3);
  return {
    epoch,
    validator: readRlpCount(fields[0], "validator"),
    kind: EVIDENCE_KINDS[readRlpCount(fields[1], "kind")] ?? "votes",
    bytes: readRlpBytes(fields[2], "evidence"),
  };
}

/** [scheme id, [[name, address, weight, consensus key, proof of possession, transport key, host, port], ...]], and the leader seed, where
 * there is one. */
function encodeValidatorSet(set: StoredValidatorSet): Bytes {
  return encodeRlp([
    rlpUint(set.schemeId),
    set.validators.map((validator) => [
      utf8(validator.name),
      validator.address,
      rlpUint(validator.weight),
      validator.consensusKey,
      validator.proofOfPossession,
      validator.transportKey,
      utf8(validator.host),
      rlpUint(validator.port),
    ]),
    ...(set.leaderSeed === undefined ? [] : [set.leaderSeed]),
  ]);
}

const SEED_BYTES = 32;

function decodeValidatorSet(bytes: Bytes): StoredValidatorSet {
  return decodeRecord(bytes, "validator set", undefined, (fields) => {
    if (fields.length > 3) throw new RlpError("rlp/wrong-shape", "a validator set has at most three fields");
    const set = {
      schemeId: readRlpCount(fields[0], "scheme id"),
      validators: readRlpList(fields[1], "validators").map(readValidator),
    };
    if (fields.length < 3) return set;
    return { ...set, leaderSeed: Hash(readRlpBytes(fields[2], "leader seed", SEED_BYTES)) };
  });
}

function readValidator(item: RlpItem): Validator {
  const fields = readRlpList(item, "validator", 8);
  return {
    name: readText(fields[0], "name"),
    address: Address(readRlpBytes(fields[1], "address", 20)),
    weight: Weight(readRlpCount(fields[2], "weight")),
    consensusKey: readRlpBytes(fields[3], "consensus key"),
    proofOfPossession: readRlpBytes(fields[4], "proof of possession"),
    transportKey: readRlpBytes(fields[5], "transport key"),
    host: readText(fields[6], "host"),
    port: readRlpCount(fields[7], "port"),
  };
}
