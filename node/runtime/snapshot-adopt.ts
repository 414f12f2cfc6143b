import { Hash } from "@ostrom/base";
import { encodeStateCertificate } from "@ostrom/consensus";
import { chainHash, epochOfHeight, type Genesis, genesisBlock, genesisState } from "@ostrom/execution";
import { MemoryState, type StateReader, type WriteOperation } from "@ostrom/state";
import {
  adoptBodyOperations,
  adoptHeaderOperations,
  adoptHeadOperation,
  adoptLogIndexOperation,
  adoptOrderedOperation,
  type BlockOrigin,
  blockOperations,
  floorOperation,
  metaOperation,
  sealProofOperation,
  stateCertificateOperations,
  validatorSetOperation,
} from "@ostrom/storage";
import { genesisCheckpointOperations } from "./checkpoint-sets.ts";
import { CHECKPOINT_SETS, extraOperations, recordOf } from "./snapshot-extras.ts";
import { indexedOperation } from "./snapshot-index.ts";
import type { PinnedBlock } from "./snapshot-messages.ts";
import { settledCheckpoints, settledSet } from "./snapshot-sets.ts";
import { neededEpoch, nextSetHashAt, type SetChain, type VerifiedPin } from "./snapshot-trust.ts";

const EMPTY_STORE = { get: () => undefined };
const MS_PER_SECOND = 1_000;

/** The writes that make a store whose state has been fetched the store of a node whose newest block is the pinned one: one batch, because from
 * then on the store looks whole.
 * @param state that was fetched. */
export function adoptOperations(
  genesis: Genesis,
  sets: SetChain,
  verified: VerifiedPin,
  extras: PinnedBlock["extras"],
  keptBlocks: number,
  state: Pick<StateReader, "storage">,
): readonly WriteOperation[] {
  const { pin, headers, ordered, certificate, epoch, body } = verified;
  const { hashId } = genesis.rules;
  const views = new Map(ordered.map(({ decoded }) => [decoded.height as number, decoded]));
  const stored = headers.map(({ header, hash }) => {
    const known = views.get(header.number);
    const origin: BlockOrigin = {
      epoch: epochOfHeight(genesis, header.number),
      // Of blocks that nobody looks at again only the header is known.
      view: known?.view ?? 0,
      timestampMs: known?.timestampMs ?? Number(header.timestamp) * MS_PER_SECOND,
      orderDigest: Hash(header.extraData),
      nextSetHash: nextSetHashAt(genesis, sets, header.number),
    };
    return { header, hash, hashId, origin };
  });
  const pinned = stored.at(-1);
  if (pinned === undefined) return [];
  const head = { height: pin.height, blockHash: pin.blockHash, origin: pinned.origin };
  const isExact = certificate.executed.height === pin.height;
  const carried = ordered.at(-1)?.decoded.stateCertificate;
  const newest = isExact ? certificate : carried;
  const newestEpoch = neededEpoch(genesis, pin.height);
  const bodies = body === undefined ? pin.height + 1 : pin.height;
  return [
    ...genesisOperations(genesis, sets),
    ...stored.flatMap(adoptHeaderOperations),
    ...ordered.map(({ decoded, block, finalization }) =>
      adoptOrderedOperation(decoded.height, { block, finalization }),
    ),
    ...setOperations(sets, newestEpoch, state),
    ...[...sets.certificates, ...(newest === undefined ? [] : [newest])]
      .filter(({ executed }) => executed.height <= pin.height)
      .flatMap((one) =>
        stateCertificateOperations(EMPTY_STORE, one.executed.height, encodeStateCertificate(one)),
      ),
    ...(verified.sealProof.length === 0 ? [] : [sealProofOperation(epoch, verified.sealProof)]),
    ...extraOperations(epoch, extras),
    ...[epoch, epoch + 1].flatMap((one, index) => {
      // Genesis names those of the first epoch.
      const set = one === 0 || one > newestEpoch ? undefined : sets.of(one);
      const claimed = extras.find(({ name }) => name === recordOf(CHECKPOINT_SETS, index))?.value;
      return set === undefined ? [] : settledCheckpoints(state, genesis, set.stored, one, claimed);
    }),
    ...(body === undefined ? [] : adoptBodyOperations(pin.height, body.transactions, body.receipts)),
    adoptLogIndexOperation(bodies),
    floorOperation({
      headers: headers[0]?.header.number ?? 0,
      bodies,
      state: pin.height,
      keptBlocks,
    }),
    indexedOperation(pin.height),
    adoptHeadOperation(head),
  ];
}

/** @param newest epoch whose set is decided: the pinned state holds its leader seed. */
function setOperations(
  sets: SetChain,
  newest: number,
  state: Pick<StateReader, "storage">,
): readonly WriteOperation[] {
  return Array.from({ length: newest }, (_, index) => index + 1).flatMap((epoch) => {
    const set = sets.of(epoch);
    if (set === undefined) return [];
    return [validatorSetOperation(epoch, settledSet(state, set.stored, epoch === newest))];
  });
}

function genesisOperations(genesis: Genesis, sets: SetChain): readonly WriteOperation[] {
  const { rules, validatorSet } = genesis;
  const { stateRoot } = new MemoryState(chainHash(rules)).commit(genesisState(genesis));
  const block = genesisBlock(genesis, stateRoot);
  const origin = {
    epoch: 0,
    view: 0,
    timestampMs: genesis.timestampMs,
    orderDigest: block.hash,
    nextSetHash: Hash(sets.of(0)?.hash ?? block.hash),
  };
  return [
    metaOperation({ genesisHash: block.hash, hashId: rules.hashId, schemeId: validatorSet.schemeId }),
    ...blockOperations(EMPTY_STORE, { block, origin, hashId: rules.hashId, ordered: undefined }),
    validatorSetOperation(0, validatorSet),
    ...genesisCheckpointOperations(genesis),
  ];
}
