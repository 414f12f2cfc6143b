import { Hash, Height, type Random, View, ZERO_HASH } from "@ostrom/base";
import {
  type ConsensusDomain,
  type Message,
  type OrderedBlock,
  orderDigest,
  type SignedVote,
  type ValidatorIndex,
  type Vote,
  voteSigningBytes,
} from "../index.ts";
import { simulatedSign } from "./signatures.ts";
import { INVALID_PAYLOAD, type SimulatedNode } from "./simulated-node.ts";

/** Byzantine actors by name. Each is an honest node whose outgoing messages are bent.
 * - equivocator: as a leader sends one block to some and another to the others, and votes for both.
 * - silentLeader: never sends a proposal.
 * - invalidLeader: proposes what nobody may accept.
 * - forker: proposes on its newest final block, whatever was notarized since.
 * - withholder: sends its votes and certificates only to some.
 * - contradictor: with each Nullify a Finalize, and the other way round.
 * - forger: sends votes with wrong signatures, in others' names, and broken certificates.
 * - spammer: sends votes, proposals and requests of views far ahead. */
export type ActorName =
  | "equivocator"
  | "silentLeader"
  | "invalidLeader"
  | "forker"
  | "withholder"
  | "contradictor"
  | "forger"
  | "spammer";

export const ACTOR_NAMES: readonly ActorName[] = [
  "equivocator",
  "silentLeader",
  "invalidLeader",
  "forker",
  "withholder",
  "contradictor",
  "forger",
  "spammer",
];

const FAR_VIEWS = 1_000_000;

/** What the actor sends to `to` where the honest node would have sent `message`. */
export function bend(
  actor: ActorName,
  node: SimulatedNode,
  random: Random,
  to: ValidatorIndex,
  message: Message,
): readonly Message[] {
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
    default:
      return actor satisfies never;
  }
}

function signVote(domain: ConsensusDomain, node: SimulatedNode, vote: Vote): SignedVote {
  const key = node.config.validators.validators[node.index]!.consensusKey;
  return { vote, signer: node.index, signature: simulatedSign(key, voteSigningBytes(domain, vote)) };
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
    parentView: tip?.block.view ?? View(0),
    stateCertificate: tip?.block.stateCertificate,
  };
}

function equivocate(
  domain: ConsensusDomain,
  node: SimulatedNode,
  to: ValidatorIndex,
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

function forge(
  node: SimulatedNode,
  random: Random,
  to: ValidatorIndex,
  message: Message,
): readonly Message[] {
  if (message.kind === "vote") {
    return [
      { kind: "vote", vote: { ...message.vote, signature: random.bytes(16) } },
      { kind: "vote", vote: { ...message.vote, signer: to } },
    ];
  }
  if (message.kind === "certificate") {
    return [{ kind: "certificate", certificate: { ...message.certificate, signature: random.bytes(16) } }];
  }
  if (message.kind === "executed") {
    return [{ kind: "executed", executed: { ...message.executed, signature: random.bytes(16) } }];
  }
  return message.kind === "proposal" && node.index % 2 === 0
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
