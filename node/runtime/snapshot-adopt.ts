import { Hash } from "@ostrom/base";
import { encodeStateCertificate } from "@ostrom/consensus";
import { chainHash, epochOfHeight, type Genesis, genesisBlock, genesisState } from "@ostrom/execution";
import { MemoryState, type WriteOperation } from "@ostrom/state";
import {
  adoptHeaderOperations,
  adoptHeadOperation,
  adoptOrderedOperation,
  type BlockOrigin,
  blockOperations,
  floorOperation,
  metaOperation,
  sealProofOperation,
  stateCertificateOperations,
  validatorSetOperation,
} from "@ostrom/storage";
import { extraOperations } from "./snapshot-extras.ts";
import { indexedOperation } from "./snapshot-index.ts";
import type { PinnedBlock } from "./snapshot-messages.ts";
import { nextSetHashAt, type SetChain, type VerifiedPin } from "./snapshot-trust.ts";

const EMPTY_STORE = { get: () => undefined };
const MS_PER_SECOND = 1_000;

/** The writes that make a store whose state has been fetched the store of a node whose newest block is the pinned one: one batch, because from
 * then on the store looks whole. */
export function adoptOperations(
  genesis: Genesis,
  sets: SetChain,
  verified: VerifiedPin,
  extras: PinnedBlock["extras"],
  keptBlocks: number,
): readonly WriteOperation[] {
  const { pin, headers, ordered, certificate, epoch } = verified;
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
  return [
    ...genesisOperations(genesis, sets),
    ...stored.flatMap(adoptHeaderOperations),
    ...ordered.map(({ decoded, block, finalization }) =>
      adoptOrderedOperation(decoded.height, { block, finalization }),
    ),
    ...Array.from({ length: sets.newestEpoch }, (_, index) => index + 1).flatMap((one) => {
      const set = sets.of(one);
      return set === undefined ? [] : [validatorSetOperation(one, set.stored)];
    }),
    ...[...sets.certificates, ...(newest === undefined ? [] : [newest])]
      .filter(({ executed }) => executed.height <= pin.height)
      .flatMap((one) =>
        stateCertificateOperations(EMPTY_STORE, one.executed.height, encodeStateCertificate(one)),
      ),
    ...(verified.sealProof.length === 0 ? [] : [sealProofOperation(epoch, verified.sealProof)]),
    ...extraOperations(epoch, extras),
    floorOperation({
      headers: headers[0]?.header.number ?? 0,
      bodies: pin.height + 1,
      state: pin.height,
      keptBlocks,
    }),
    indexedOperation(pin.height),
    adoptHeadOperation(head),
  ];
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
  ];
}
