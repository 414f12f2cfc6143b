import { Epoch, toHexDigits, unwrap } from "@ostrom/base";
import {
  type CheckpointCertificate,
  type CheckpointSet,
  canCertify,
  decodeCheckpointCertificate,
  decodeCheckpointSet,
  encodeCheckpointSet,
} from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import {
  type AnyGenesis,
  CHECKPOINT_KEYS_ADDRESS,
  provedName,
  readCheckpointKeys,
  type ValidatorSet,
  type VerifyConsensusSignature,
  verifyConsensusSignature,
} from "@ostrom/execution";
import { type StateChanges, type StateReader, storeReader, type WriteOperation } from "@ostrom/state";
import {
  checkpointSetOperation,
  readCheckpoint,
  readCheckpointSet,
  type Store,
  type StoreView,
} from "@ostrom/storage";

/** Who certifies an epoch's checkpoints. @returns undefined while it is not decided, and on chains without checkpoints. */
export function storedCheckpointSet(store: Pick<StoreView, "get">, epoch: number): CheckpointSet | undefined {
  const bytes = readCheckpointSet(store, epoch);
  return bytes === undefined ? undefined : unwrap(decodeCheckpointSet(bytes));
}

/** The writes that fix, with the validators of an epoch, by which keys they certify checkpoints. None on a chain without checkpoints.
 * @param store as it is before the block. @param changes of the block that decides the validators. */
export function frozenCheckpointOperations(
  store: Store,
  changes: StateChanges,
  next: ValidatorSet,
  epoch: number,
  chainId: bigint,
  verify: VerifyConsensusSignature = verifyConsensusSignature,
): readonly WriteOperation[] {
  const current = storedCheckpointSet(store, epoch - 1);
  if (current === undefined) return [];
  return keysFromState(stateAfter(store, changes), chainId, next, epoch, current.members, verify);
}

/** The same for a node that begins with a state: the keys are those that this state has. @param before whose keys need no proof any more. */
export function adoptedCheckpointOperations(
  state: Pick<StateReader, "storage">,
  chainId: bigint,
  set: ValidatorSet,
  epoch: number,
  before: CheckpointSet["members"],
  verify: VerifyConsensusSignature = verifyConsensusSignature,
): readonly WriteOperation[] {
  return keysFromState(state, chainId, set, epoch, before, verify);
}

function keysFromState(
  state: Pick<StateReader, "storage">,
  chainId: bigint,
  next: ValidatorSet,
  epoch: number,
  before: CheckpointSet["members"],
  verify: VerifyConsensusSignature,
): readonly WriteOperation[] {
  const proved = new Set(
    before.flatMap(({ consensusKeyHash, keyHash }) =>
      keyHash === undefined ? [] : [provedName(consensusKeyHash, keyHash)],
    ),
  );
  const set = setOf(next, epoch, readCheckpointKeys(state, chainId, next, proved, verify));
  return [checkpointSetOperation(epoch, encodeCheckpointSet(set))];
}

/** The write that goes with genesis; none on a chain without checkpoints. */
export function genesisCheckpointOperations({
  checkpointKeys,
  validatorSet,
}: Pick<AnyGenesis, "checkpointKeys" | "validatorSet">): readonly WriteOperation[] {
  if (checkpointKeys === undefined) return [];
  return [checkpointSetOperation(0, encodeCheckpointSet(setOf(validatorSet, 0, checkpointKeys)))];
}

function setOf(
  { validators }: ValidatorSet,
  epoch: number,
  keyHashes: ReturnType<typeof readCheckpointKeys>,
): CheckpointSet {
  const members = validators.map(({ consensusKey, weight }, index) => ({
    consensusKeyHash: keccak256(consensusKey),
    weight,
    keyHash: keyHashes[index],
  }));
  return { epoch: Epoch(epoch), members };
}

/** Epoch of the set that certifies what comes after a checkpoint, as `extendCheckpointTrust` has it. */
export function authorityAfter(
  store: Pick<StoreView, "get">,
  { statement, setEpoch }: CheckpointCertificate,
): number {
  const next = storedCheckpointSet(store, statement.epoch + 1);
  return next === undefined || canCertify(next) ? statement.epoch + 1 : setEpoch;
}

/** The same after the newest one that is stored; without any, genesis' set. */
export function storedAuthority(store: Pick<StoreView, "get">, newest: number): number {
  const bytes = newest < 0 ? undefined : readCheckpoint(store, newest);
  return bytes === undefined ? newest + 1 : authorityAfter(store, unwrap(decodeCheckpointCertificate(bytes)));
}

/** The contract's account as a block leaves it. */
function stateAfter(store: Store, changes: StateChanges): Pick<StateReader, "storage"> {
  const below = storeReader(store);
  const change = changes.accounts.get(toHexDigits(CHECKPOINT_KEYS_ADDRESS));
  if (change === undefined) return below;
  const written = new Map(change.storage.map(({ slot, value }) => [slot, value]));
  return { storage: (address, slot) => written.get(slot) ?? below.storage(address, slot) };
}
