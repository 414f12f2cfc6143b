import { EMPTY_BYTES, Epoch, Hash, Height, type Random, View, ZERO_HASH } from "@ostrom/base";
import {
  type ConsensusDomain,
  executedSigningBytes,
  type Message,
  type OrderedBlock,
  orderDigest,
  type SignedVote,
  ValidatorIndex,
  type Vote,
  voteSigningBytes,
} from "../index.ts";
import { simulatedSign } from "./signatures.ts";
import { INVALID_PAYLOAD } from "./simulated-epoch.ts";
import type { SimulatedNode } from "./simulated-node.ts";

/** Byzantine actors by name. Each is an honest node whose outgoing messages are bent.
 * - equivocator: as a leader sends one block to some and another to the others, and votes for both.
 * - silentLeader: never sends a proposal.
 * - invalidLeader: proposes what nobody may accept.
 * - forker: proposes on its newest final block, whatever was notarized since.
 * - withholder: sends its votes and certificates only to some.
 * - contradictor: with each Nullify a Finalize, and the other way round.
 * - forger: sends votes with wrong signatures, in others' names, and broken certificates.
 * - spammer: sends votes, proposals and requests of views far ahead.
 * - replayer: says again, as if it were of another epoch, what was said in one.
 * - badSealer: as a leader at an epoch's end proposes a last block without its certificate, and sealing blocks that carry something.
 * - epochLiar: speaks of epochs that are far, of results that are not its set's to sign, and of blocks above the last.
 * - finalityWithholder: notarizes and never lets anybody know that something is final. */
export type ActorName =
  | "equivocator"
  | "silentLeader"
  | "invalidLeader"
  | "forker"
  | "withholder"
  | "contradictor"
  | "forger"
  | "spammer"
  | "replayer"
  | "badSealer"
  | "epochLiar"
  | "finalityWithholder";

export const ACTOR_NAMES: readonly ActorName[] = [
  "equivocator",
  "silentLeader",
  "invalidLeader",
  "forker",
  "withholder",
  "contradictor",
  "forger",
  "spammer",
  "replayer",
  "badSealer",
  "epochLiar",
  "finalityWithholder",
];

const FAR_VIEWS = 1_000_000;

/** What the actor sends to machine `to` where the honest node would have sent `message`. */
export function bend(
  actor: ActorName,
  node: SimulatedNode,
  random: Random,
  to: number,
  message: Message,
): readonly Message[] {
  // In an epoch whose set does not name it, and about another than its own, nobody would listen.
  if (node.index === undefined) return [message];
  const { domain } = node.config;
  switch (actor) {
    case "equivocator":
      return equivocate(domain, node, to, message);
    case "silentLeader":
      return message.kind === "proposal" ? [] : [message];
    case "invalidLeader":
      if (message.kind !== "proposal") return [message];
      return [proposal(domain, node, { ...message.block, payload: Uint8Array.of(INVALID_PAYLOAD) })];
    case "forker":
      return message.kind === "proposal"
        ? [proposal(domain, node, fork(domain, node, message.block))]
        : [message];
    case "withholder":
      return (message.kind === "vote" || message.kind === "certificate") && to % 2 === 0 ? [] : [message];
    case "contradictor":
      return message.kind === "vote" ? contradict(domain, node, message.vote) : [message];
    case "forger":
      return forge(node, random, to, message);
    case "spammer":
      return random.chance(1, 3) ? [message, ...spam(domain, node, random)] : [message];
    case "replayer":
      return random.chance(1, 4) ? [message, ...replay(node, random, message)] : [message];
    case "badSealer":
      return message.kind === "proposal" ? badEnd(domain, node, random, message.block) : [message];
    case "epochLiar":
      return random.chance(1, 4) ? [message, ...lieAboutEpochs(domain, node, random)] : [message];
    case "finalityWithholder":
      return isAboutFinality(message) ? [] : [message];
    default:
      return actor satisfies never;
  }
}

function isAboutFinality(message: Message): boolean {
  if (message.kind === "certificate") return message.certificate.kind === "finalization";
  return message.kind === "vote" && message.vote.vote.kind === "finalize";
}

function seatOf(node: SimulatedNode): ValidatorIndex {
  return node.index ?? ValidatorIndex(0);
}

function signVote(domain: ConsensusDomain, node: SimulatedNode, vote: Vote): SignedVote {
  const key = node.config.validators.validators[seatOf(node)]!.consensusKey;
  return { vote, signer: seatOf(node), signature: simulatedSign(key, voteSigningBytes(domain, vote)) };
}

function proposal(domain: ConsensusDomain, node: SimulatedNode, block: OrderedBlock): Message {
  const digest = orderDigest(domain, block);
  const vote: Vote = { kind: "notarize", epoch: block.epoch, view: block.view, digest };
  return { kind: "proposal", block, signature: signVote(domain, node, vote).signature };
}

function fork(domain: ConsensusDomain, node: SimulatedNode, block: OrderedBlock): OrderedBlock {
  const tip = node.store.at(-1);
  return {
    ...block,
    height: Height(node.height + 1),
    parent: tip?.digest ?? domain.genesisHash,
    parentView: tip?.block.epoch === block.epoch ? tip.block.view : View(0),
    stateCertificate: tip?.block.stateCertificate,
  };
}

function equivocate(
  domain: ConsensusDomain,
  node: SimulatedNode,
  to: number,
  message: Message,
): readonly Message[] {
  if (message.kind !== "proposal" || to % 2 === 0) return [message];
  const other: OrderedBlock = { ...message.block, payload: Uint8Array.of(2, ...message.block.payload) };
  const digest = orderDigest(domain, other);
  const vote: Vote = { kind: "finalize", epoch: other.epoch, view: other.view, digest };
  return [proposal(domain, node, other), { kind: "vote", vote: signVote(domain, node, vote) }];
}

function contradict(domain: ConsensusDomain, node: SimulatedNode, signed: SignedVote): readonly Message[] {
  const honest: Message = { kind: "vote", vote: signed };
  if (signed.vote.kind === "notarize") {
    const nullify: Vote = { ...signed.vote, kind: "nullify", digest: ZERO_HASH };
    return [honest, { kind: "vote", vote: signVote(domain, node, nullify) }];
  }
  const digest = signed.vote.kind === "nullify" ? domain.hash(Uint8Array.of(3)) : ZERO_HASH;
  const kind = signed.vote.kind === "nullify" ? "finalize" : "nullify";
  return [honest, { kind: "vote", vote: signVote(domain, node, { ...signed.vote, kind, digest }) }];
}

function forge(node: SimulatedNode, random: Random, to: number, message: Message): readonly Message[] {
  if (message.kind === "vote") {
    return [
      { kind: "vote", vote: { ...message.vote, signature: random.bytes(16) } },
      { kind: "vote", vote: { ...message.vote, signer: ValidatorIndex(to) } },
    ];
  }
  if (message.kind === "certificate") {
    return [{ kind: "certificate", certificate: { ...message.certificate, signature: random.bytes(16) } }];
  }
  if (message.kind === "executed") {
    return [{ kind: "executed", executed: { ...message.executed, signature: random.bytes(16) } }];
  }
  return message.kind === "proposal" && node.machine % 2 === 0
    ? [{ ...message, signature: random.bytes(16) }]
    : [message];
}

function spam(domain: ConsensusDomain, node: SimulatedNode, random: Random): readonly Message[] {
  const view = View(random.below(FAR_VIEWS) + 1);
  const epoch = node.config.validators.epoch;
  const digest = Hash(random.bytes(32));
  return [
    { kind: "vote", vote: signVote(domain, node, { kind: "notarize", epoch, view, digest }) },
    { kind: "vote", vote: signVote(domain, node, { kind: "nullify", epoch, view, digest: ZERO_HASH }) },
    { kind: "certificate-request", epoch, view, want: "any" },
    { kind: "block-request", epoch, view, digest },
    {
      kind: "certificate",
      certificate: {
        kind: "nullification",
        schemeId: domain.signatures.schemeId,
        epoch,
        view,
        digest: ZERO_HASH,
        signers: Uint8Array.of(0xff),
        signature: random.bytes(16),
      },
    },
  ];
}

/** Votes and certificates as they are, under another epoch's number. */
function replay(node: SimulatedNode, random: Random, message: Message): readonly Message[] {
  const epoch = Epoch(Math.max(0, node.epoch - 1 + random.below(3)));
  if (message.kind === "vote") {
    const vote = { ...message.vote.vote, epoch };
    return [{ kind: "vote", vote: { ...message.vote, vote } }];
  }
  if (message.kind === "certificate")
    return [{ kind: "certificate", certificate: { ...message.certificate, epoch } }];
  if (message.kind === "executed") {
    const executed = { ...message.executed.executed, epoch };
    return [{ kind: "executed", executed: { ...message.executed, executed } }];
  }
  if (message.kind === "state-certificate") {
    const executed = { ...message.certificate.executed, epoch };
    return [{ kind: "state-certificate", certificate: { ...message.certificate, executed } }];
  }
  const proof = node.proofs.get(node.epoch - 1);
  return proof === undefined ? [] : [{ kind: "certificate", certificate: { ...proof.finalization, epoch } }];
}

/** An honest proposal near the end of an epoch, spoiled. */
function badEnd(
  domain: ConsensusDomain,
  node: SimulatedNode,
  random: Random,
  block: OrderedBlock,
): readonly Message[] {
  const { lastHeight } = node.config;
  if (block.height < lastHeight) return [proposal(domain, node, block)];
  const tip = node.store.at(-1);
  const last = node.state.tip;
  const spoiled: readonly OrderedBlock[] = [
    { ...block, stateCertificate: undefined },
    { ...block, stateCertificate: tip?.block.stateCertificate },
    { ...block, payload: Uint8Array.of(1, 2, 3), height: Height(lastHeight + 1) },
    { ...block, payload: EMPTY_BYTES, timestampMs: block.timestampMs + 7 },
    { ...block, height: Height(lastHeight + 1), parent: last.digest, parentView: last.view },
    { ...block, height: Height(lastHeight + 2) },
  ];
  return [proposal(domain, node, spoiled[random.below(spoiled.length)]!)];
}

function lieAboutEpochs(domain: ConsensusDomain, node: SimulatedNode, random: Random): readonly Message[] {
  const epoch = Epoch(node.epoch + 1 + random.below(3));
  const view = View(1 + random.below(20));
  const digest = Hash(random.bytes(32));
  const key = node.config.validators.validators[seatOf(node)]!.consensusKey;
  const height = Height(Math.max(1, node.config.lastHeight - 1 + random.below(4)));
  const executed = {
    epoch: node.config.validators.epoch,
    height,
    orderDigest: digest,
    executedHash: digest,
    nextSetHash: digest,
  };
  const signature = simulatedSign(key, executedSigningBytes(domain, executed));
  const above = node.store.at(-1)?.block;
  return [
    { kind: "vote", vote: signVote(domain, node, { kind: "nullify", epoch, view, digest: ZERO_HASH }) },
    { kind: "view-request", epoch },
    { kind: "block-request", epoch, view, digest },
    { kind: "executed", executed: { executed, signer: seatOf(node), signature } },
    ...(above === undefined ? [] : [proposal(domain, node, { ...above, epoch, height })]),
  ];
}
