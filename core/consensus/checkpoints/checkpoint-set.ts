import {
  type Bytes,
  Epoch,
  type Failure,
  type Hash,
  type Result,
  utf8,
  Weight,
  ZERO_HASH,
} from "@ostrom/base";
import {
  decodeRlpWith,
  encodeRlp,
  type RlpErrorCode,
  type RlpItem,
  readRlpCount,
  readRlpList,
  readRlpListUpTo,
  rlpUint,
} from "@ostrom/codec";
import { readHash } from "../block.ts";
import { type ConsensusDomain, MAX_VALIDATORS } from "../types.ts";
import { quorumOf } from "../validator-set.ts";
import type { CheckpointMember, CheckpointSet } from "./types.ts";

const SET_DOMAIN = utf8("ostrom/checkpoint-set/1");
const MEMBER_FIELDS = 3;

/** What `CheckpointStatement.nextCheckpointSetHash` is of. */
export function checkpointSetHash(domain: Pick<ConsensusDomain, "hash">, set: CheckpointSet): Hash {
  return domain.hash(encodeRlp([SET_DOMAIN, ...setToRlp(set)]));
}

/** Weight that a checkpoint needs: that of the whole set, members without keys included, so that a few keys never speak for all. */
export function checkpointQuorum({ members }: CheckpointSet): number {
  return quorumOf(members.reduce((sum, { weight }) => sum + weight, 0));
}

/** The weight of those who have keys: if it is below the quorum, the set cannot certify anything. */
export function keyedWeight({ members }: CheckpointSet): number {
  return members.reduce((sum, { weight, keyHash }) => (keyHash === undefined ? sum : sum + weight), 0);
}

/** Whether enough of a set's weight has keys. Trust never goes to a set that cannot certify: nothing could follow. */
export function canCertify(set: CheckpointSet): boolean {
  return keyedWeight(set) >= checkpointQuorum(set);
}

/** The bytes a store keeps and servers show. */
export function encodeCheckpointSet(set: CheckpointSet): Bytes {
  return encodeRlp(setToRlp(set));
}

/** Errors: those of decodeRlpWith; `rlp/wrong-shape` also for more members than a set may have. */
export function decodeCheckpointSet(bytes: Bytes): Result<CheckpointSet, Failure<RlpErrorCode>> {
  return decodeRlpWith(bytes, (item) => {
    const [epoch, list] = readRlpList(item, "checkpoint set", 2);
    const members = readRlpListUpTo(list, "members", MAX_VALIDATORS);
    return { epoch: Epoch(readRlpCount(epoch, "epoch")), members: members.map(memberFromRlp) };
  });
}

/** [epoch, [[hash of the consensus key, weight, hash of the checkpoint key or zeros], ...]]. */
function setToRlp({ epoch, members }: CheckpointSet): RlpItem[] {
  return [
    rlpUint(epoch),
    members.map(({ consensusKeyHash, weight, keyHash }) => [
      consensusKeyHash,
      rlpUint(weight),
      keyHash ?? ZERO_HASH,
    ]),
  ];
}

function memberFromRlp(item: RlpItem): CheckpointMember {
  const fields = readRlpList(item, "member", MEMBER_FIELDS);
  const keyHash = readHash(fields[2], "member.keyHash");
  return {
    consensusKeyHash: readHash(fields[0], "member.consensusKeyHash"),
    weight: Weight(readRlpCount(fields[1], "member.weight")),
    keyHash: keyHash.every((byte) => byte === 0) ? undefined : keyHash,
  };
}
