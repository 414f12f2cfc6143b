import { toHex, toHexDigits } from "@ostrom/base";
import { checksumAddress, quantity } from "@ostrom/rpc-schema";
import type { Participation, RpcBackend, ValidatorReads } from "./backend.ts";
import { countOrNumber } from "./decode.ts";
import type { JsonObject } from "./json.ts";
import { defineMethod, type Method, optional } from "./method.ts";
import type { PeerReport } from "./node-reads.ts";
import type { RecordedVote, SimplexViewRecord } from "./view-records.ts";

/** Pieces of evidence in one answer. */
const MAX_EVIDENCE = 128;
/** Blocks, and views, by which participation is told. */
const DEFAULT_BLOCKS = 100;
const MAX_BLOCKS = 1_000;
const MAX_VOTED_VIEWS = 256;
/** The newest views are still being voted on. */
const UNFINISHED_VIEWS = 2;
const VOTES: readonly RecordedVote[] = ["notarize", "nullify", "finalize"];

/** Who validates a chain, and what proves that one of them broke its word. */
export const validatorMethods: readonly Method[] = [
  defineMethod({
    name: "ostrom_getValidators",
    summary:
      "The validator set of an epoch, by default of the one that the next block is of. null: it is not decided, or the chain has no validators.",
    parameters: [
      optional("epoch", countOrNumber, undefined),
      optional("blocks", countOrNumber, DEFAULT_BLOCKS),
    ],
    returns:
      "null or {epoch, currentEpoch, firstBlock, lastBlock, decidedAtBlock, setHash, schemeId, " +
      "participation: null or {fromBlock, toBlock, finalizations, results, views}, validators: [{index, name, address, " +
      "weight, consensusKey, proofOfPossession, transportKey, host, port, version, connected (true of this node itself), height, " +
      "participation: null or {proposedBlocks, missedLeads, finalizationsSigned, resultsSigned, viewsVoted, votesHeard: {notarize, nullify, finalize, executed}}}]}; " +
      "certificates hold the first signatures that suffice, so that who is always last is in none; votesHeard and viewsVoted are of this node's newest `views` views",
    run: async ({ backend }, epoch, blocks) => {
      const reads = backend.validators;
      if (reads === undefined) return null;
      return describeSet(backend, reads, epoch ?? reads.currentEpoch(), Math.min(blocks, MAX_BLOCKS));
    },
  }),
  defineMethod({
    name: "ostrom_getEvidence",
    summary: `What proves that validators contradicted themselves, oldest epoch first, at most ${MAX_EVIDENCE} pieces.`,
    parameters: [optional("fromEpoch", countOrNumber, 0)],
    returns: "[{epoch, validator, kind: votes | results, evidence}], evidence as core/consensus encodes it",
    run: ({ backend }, fromEpoch) =>
      (backend.validators?.evidence(fromEpoch, MAX_EVIDENCE) ?? []).map(
        ({ epoch, validator, kind, bytes }) => ({
          epoch: quantity(epoch),
          validator: quantity(validator),
          kind,
          evidence: toHex(bytes),
        }),
      ),
  }),
];

async function describeSet(
  backend: RpcBackend,
  reads: ValidatorReads,
  epoch: number,
  blocks: number,
): Promise<JsonObject | null> {
  const set = reads.set(epoch);
  if (set === undefined) return null;
  const { length, lead } = reads.epochs;
  const peers = new Map(((await backend.node?.peers()) ?? []).map((peer) => [peer.peerId, peer]));
  const own = backend.node?.about;
  const part = blocks === 0 ? undefined : reads.participation?.(epoch, blocks);
  const views = part === undefined ? [] : viewsOf(backend, epoch, blocks);
  return {
    epoch: quantity(epoch),
    currentEpoch: quantity(reads.currentEpoch()),
    firstBlock: quantity(epoch * length + 1),
    lastBlock: quantity((epoch + 1) * length),
    decidedAtBlock: quantity(Math.max(0, epoch * length - lead)),
    setHash: toHex(set.hash),
    schemeId: quantity(set.schemeId),
    participation: part === undefined ? null : describeParticipation(part, views.length),
    validators: set.validators.map((validator, index) => {
      const peerId = toHexDigits(validator.transportKey);
      const peer = peers.get(peerId);
      const isOwn = own?.peerId === peerId;
      return {
        index: quantity(index),
        name: validator.name,
        address: checksumAddress(validator.address),
        weight: quantity(validator.weight),
        consensusKey: toHex(validator.consensusKey),
        proofOfPossession: toHex(validator.proofOfPossession),
        transportKey: toHex(validator.transportKey),
        host: validator.host,
        port: quantity(validator.port),
        version: (isOwn ? own?.version : peer?.version) ?? null,
        connected: isOwn || peer?.isConnected === true,
        height: isOwn ? quantity(backend.chain.heads().latest) : heightOf(peer),
        participation: part === undefined ? null : describeShare(part, index, views),
      };
    }),
  };
}

function heightOf(peer: PeerReport | undefined): string | null {
  return peer?.height === undefined ? null : quantity(peer.height);
}

/** This node's newest finished views of an epoch. */
function viewsOf({ views }: RpcBackend, epoch: number, count: number): readonly SimplexViewRecord[] {
  if (views === undefined) return [];
  const most = Math.min(count, MAX_VOTED_VIEWS);
  return views
    .read(views.next() - most - UNFINISHED_VIEWS, most)
    .filter((record) => record.engine === "simplex")
    .filter((record) => record.epoch === epoch);
}

function describeParticipation(part: Participation, views: number): JsonObject {
  const { fromBlock, toBlock, finalizations, results } = part;
  return { fromBlock: quantity(fromBlock), toBlock: quantity(toBlock), finalizations, results, views };
}

function describeShare(part: Participation, index: number, views: readonly SimplexViewRecord[]): JsonObject {
  const heard = (kind: RecordedVote): number =>
    views.filter(({ votes }) => votes[kind][index] !== undefined).length;
  return {
    ...part.validators[index],
    viewsVoted: views.filter(({ votes }) => VOTES.some((kind) => votes[kind][index] !== undefined)).length,
    votesHeard: {
      notarize: heard("notarize"),
      nullify: heard("nullify"),
      finalize: heard("finalize"),
      executed: heard("executed"),
    },
  };
}
