import { type Bytes, Epoch, Hash, type Random, unwrap, View, ZERO_HASH } from "@ostrom/base";
import {
  type Certificate,
  type ConsensusDomain,
  decodeMessage,
  domainOfSet,
  encodeMessage,
  executedSigningBytes,
  type Message,
  type OrderedBlock,
  orderDigest,
  type SignedVote,
  ValidatorIndex,
  type ValidatorSet,
  type Vote,
  voteSigningBytes,
} from "@ostrom/consensus";
import type { Channel, Network, PeerId } from "@ostrom/network";
import type { BatchActorName } from "./batch-actors.ts";
import { CertificateMemory, certificateFrom } from "./certificate-memory.ts";

/** Byzantine actors by name. Each is a real node whose outgoing messages are bent.
 * - equivocator: as a leader sends one block to some and another to the others, and votes for both.
 * - silentLeader: never sends a proposal.
 * - withholder: sends its votes and certificates only to some.
 * - splitter: sends different valid certificates of one view to different halves.
 * - twin: two machines with the same keys, each honest for itself.
 * - spammer: sends votes, certificates and requests of views far ahead.
 * - stateLiar: signs wrong results of execution.
 * - forger: sends wrong signatures, votes in others' names, broken certificates.
 * - invalidLeader: proposes what nobody may accept.
 * - syncLiar: answers requests for blocks with wrong ones.
 * - replayer: sends certificates of the epoch before as if they were of this one.
 * - contradictor: with each Nullify a Finalize, and the other way round. */
export const ACTOR_NAMES = [
  "equivocator",
  "silentLeader",
  "withholder",
  "splitter",
  "twin",
  "spammer",
  "stateLiar",
  "forger",
  "invalidLeader",
  "syncLiar",
  "replayer",
  "contradictor",
] as const;

export type ActorName = (typeof ACTOR_NAMES)[number] | BatchActorName;

/** An actor that bends what is said about order and state. */
export type ConsensusActorName = Exclude<ActorName, "twin" | BatchActorName>;

/** Whether frames of a channel are messages of core/consensus. */
export function carriesConsensus(channel: Channel): boolean {
  return channel !== "transactions" && channel !== "batches";
}

/** What an actor has besides its node. */
export type ActorTools = {
  /** Its name in the network. */
  readonly identity: number;
  readonly random: Random;
  readonly domain: ConsensusDomain;
  readonly setOf: (epoch: number) => ValidatorSet | undefined;
  /** Its place in a set. */
  readonly seatIn: (set: ValidatorSet) => number | undefined;
  readonly identityOfPeer: (peerId: PeerId) => number;
  /** With the key that the set knows it by. */
  readonly sign: (set: ValidatorSet, message: Bytes) => Bytes;
  /** It did something that an honest node would not have done. */
  readonly bent: (message: Message | undefined, to: number) => void;
};

export type Actor = {
  readonly network: Network;
  /** Sees what arrives at its node. */
  readonly heard: (channel: Channel, payload: Bytes) => void;
};

const FAR_VIEWS = 1_000_000;
const FAR_EPOCHS = 1_000;
const SIGNATURE_BYTES = 96;
const DIGEST_BYTES = 32;
const TAMPER_WAYS = 5;
const INVALID_WAYS = 5;
const FAR_FUTURE_MS = 60_000;
const SPAM_ONE_IN = 4;

/** Puts an actor between a node and its network. */
export function createActor(name: ConsensusActorName, network: Network, tools: ActorTools): Actor {
  const memory = new CertificateMemory();
  const bendAndSend = (peerId: PeerId, channel: Channel, payload: Bytes): boolean => {
    const message = unwrap(decodeMessage(payload));
    const to = tools.identityOfPeer(peerId);
    const bent = bend(name, tools, memory, to, message);
    if (bent === undefined) return network.send(peerId, channel, payload);
    if (bent.length === 0) tools.bent(undefined, to);
    for (const one of bent) {
      if (one !== message) tools.bent(one, to);
      network.send(peerId, channel, encodeMessage(one));
    }
    return true;
  };
  return {
    network: {
      send: (peerId, channel, payload) =>
        carriesConsensus(channel)
          ? bendAndSend(peerId, channel, payload)
          : network.send(peerId, channel, payload),
      broadcast: (channel, payload) => {
        if (!carriesConsensus(channel)) return network.broadcast(channel, payload);
        const peers = network.connected();
        for (const peerId of peers) bendAndSend(peerId, channel, payload);
        return peers.length;
      },
      connected: network.connected,
    },
    heard: (channel, payload) => {
      if ((name !== "splitter" && name !== "replayer") || !carriesConsensus(channel)) return;
      const message = decodeMessage(payload);
      if (message.ok) memory.hear(message.value);
    },
  };
}

/** What it sends to `to` where the honest node would have sent `message`; undefined: the same. */
function bend(
  name: ConsensusActorName,
  tools: ActorTools,
  memory: CertificateMemory,
  to: number,
  message: Message,
): readonly Message[] | undefined {
  switch (name) {
    case "equivocator":
      return equivocate(tools, to, message);
    case "silentLeader":
      return message.kind === "proposal" ? [] : undefined;
    case "withholder":
      return (message.kind === "vote" || message.kind === "certificate") && to % 2 === 0 ? [] : undefined;
    case "splitter":
      return split(tools, memory, to, message);
    case "spammer":
      return tools.random.chance(1, SPAM_ONE_IN) ? [message, ...spam(tools, epochOf(message))] : undefined;
    case "stateLiar":
      return lieAboutState(tools, message);
    case "forger":
      return forge(tools, to, message);
    case "invalidLeader":
      return message.kind === "proposal" ? [proposal(tools, invalid(tools, message.block))] : undefined;
    case "syncLiar":
      return lieInSync(tools, message);
    case "replayer":
      return replay(memory, to, message);
    case "contradictor":
      return message.kind === "vote" ? contradict(tools, message.vote) : undefined;
    default:
      return name satisfies never;
  }
}

/** Where it is in no set of that epoch, it signs with what it has. */
function signVote({ domain, seatIn, setOf, sign }: ActorTools, vote: Vote): SignedVote {
  const set = setOf(vote.epoch) ?? setOf(0);
  const signer = set === undefined ? 0 : (seatIn(set) ?? 0);
  const signature =
    set === undefined
      ? new Uint8Array(SIGNATURE_BYTES)
      : sign(set, voteSigningBytes(domainOfSet(domain, set), vote));
  return { vote, signer: ValidatorIndex(signer), signature };
}

/** A block in its leader's name. */
export function proposal(tools: ActorTools, block: OrderedBlock): Message {
  const digest = orderDigest(tools.domain, block);
  const vote: Vote = { kind: "notarize", epoch: block.epoch, view: block.view, digest };
  return { kind: "proposal", block, signature: signVote(tools, vote).signature };
}

/** The other block is valid too: only its time differs. */
function equivocate(tools: ActorTools, to: number, message: Message): readonly Message[] | undefined {
  if (message.kind !== "proposal" || to % 2 === 0) return undefined;
  const other: OrderedBlock = { ...message.block, timestampMs: message.block.timestampMs + 1 };
  const digest = orderDigest(tools.domain, other);
  const vote: Vote = { kind: "finalize", epoch: other.epoch, view: other.view, digest };
  return [proposal(tools, other), { kind: "vote", vote: signVote(tools, vote) }];
}

function split(
  { domain, setOf, seatIn, sign }: ActorTools,
  memory: CertificateMemory,
  to: number,
  message: Message,
): readonly Message[] | undefined {
  memory.hear(message);
  if (message.kind !== "certificate" || to % 2 === 0) return undefined;
  const set = setOf(message.certificate.epoch);
  const seat = set === undefined ? undefined : seatIn(set);
  if (set === undefined || seat === undefined) return undefined;
  const own = {
    domain: domainOfSet(domain, set),
    set,
    identity: seat,
    sign: (bytes: Bytes) => sign(set, bytes),
  };
  const other =
    memory.otherKind(message.certificate) ??
    certificateFrom(memory.votesFor(message.certificate), message.certificate, own);
  return other === undefined ? undefined : [{ kind: "certificate", certificate: other }];
}

/** All that ended views of the epoch before, once to each, as soon as an epoch has begun. */
function replay(memory: CertificateMemory, to: number, message: Message): readonly Message[] | undefined {
  memory.hear(message);
  const epoch = epochOf(message);
  const old = memory.takeEpochBefore(epoch, to);
  if (old.length === 0) return undefined;
  const relabelled = old.map((certificate): Certificate => ({ ...certificate, epoch: Epoch(epoch) }));
  return [message, ...relabelled.map((certificate): Message => ({ kind: "certificate", certificate }))];
}

function lieAboutState(
  { domain, setOf, sign }: ActorTools,
  message: Message,
): readonly Message[] | undefined {
  const set = message.kind === "executed" ? setOf(message.executed.executed.epoch) : undefined;
  if (message.kind !== "executed" || set === undefined) return undefined;
  const { executed, signer } = message.executed;
  const lie = { ...executed, executedHash: domain.hash(executed.executedHash) };
  const lieBytes = executedSigningBytes(domainOfSet(domain, set), lie);
  return [
    {
      kind: "executed",
      executed: { executed: lie, signer, signature: sign(set, lieBytes) },
    },
  ];
}

function invalid({ random }: ActorTools, block: OrderedBlock): OrderedBlock {
  switch (random.below(INVALID_WAYS)) {
    case 0:
      return { ...block, payload: random.bytes(1 + random.below(64)) };
    case 1:
      return { ...block, timestampMs: block.timestampMs + FAR_FUTURE_MS };
    case 2:
      return { ...block, parent: Hash(random.bytes(DIGEST_BYTES)) };
    case 3:
      return { ...block, parentView: View(Math.max(0, block.parentView - 1)) };
    default:
      return { ...block, stateCertificate: undefined, timestampMs: 1 };
  }
}

function contradict(tools: ActorTools, signed: SignedVote): readonly Message[] {
  const honest: Message = { kind: "vote", vote: signed };
  const { kind, epoch, view } = signed.vote;
  const other: Vote =
    kind === "nullify"
      ? { kind: "finalize", epoch, view, digest: tools.domain.hash(Uint8Array.of(3)) }
      : { kind: "nullify", epoch, view, digest: ZERO_HASH };
  return [honest, { kind: "vote", vote: signVote(tools, other) }];
}

function forge(
  { random, identity }: ActorTools,
  to: number,
  message: Message,
): readonly Message[] | undefined {
  const noise = random.bytes(SIGNATURE_BYTES);
  switch (message.kind) {
    case "vote":
      return [
        { kind: "vote", vote: { ...message.vote, signature: noise } },
        { kind: "vote", vote: { ...message.vote, signer: ValidatorIndex(to) } },
      ];
    case "certificate":
      return [{ kind: "certificate", certificate: { ...message.certificate, signature: noise } }];
    case "executed":
      return [{ kind: "executed", executed: { ...message.executed, signature: noise } }];
    case "state-certificate":
      return [{ kind: "state-certificate", certificate: { ...message.certificate, signature: noise } }];
    case "proposal":
      return identity % 2 === 0 ? [{ ...message, signature: noise }] : undefined;
    default:
      return undefined;
  }
}

/** Views, and now and then epochs, far ahead. */
function spam(tools: ActorTools, own: number): readonly Message[] {
  const { random, domain } = tools;
  const view = View(random.below(FAR_VIEWS) + 1);
  const epoch = Epoch(random.chance(1, 4) ? own + 1 + random.below(FAR_EPOCHS) : own);
  const digest = Hash(random.bytes(DIGEST_BYTES));
  const certificate: Certificate = {
    kind: "nullification",
    schemeId: domain.signatures.schemeId,
    epoch,
    view,
    digest: ZERO_HASH,
    signers: Uint8Array.of(0xff),
    signature: random.bytes(SIGNATURE_BYTES),
  };
  const votes: readonly Vote[] = [
    { kind: "notarize", epoch, view, digest },
    { kind: "nullify", epoch, view, digest: ZERO_HASH },
  ];
  return [
    ...votes.map((vote): Message => ({ kind: "vote", vote: signVote(tools, vote) })),
    { kind: "certificate-request", epoch, view, want: "any" },
    { kind: "block-request", epoch, view, digest },
    ...(random.chance(1, 8) ? [{ kind: "certificate", certificate } as const] : []),
  ];
}

function epochOf(message: Message): number {
  if (message.kind === "vote") return message.vote.vote.epoch;
  if (message.kind === "proposal") return message.block.epoch;
  return message.kind === "certificate" ? message.certificate.epoch : 0;
}

function lieInSync(tools: ActorTools, message: Message): readonly Message[] | undefined {
  const { random } = tools;
  if (message.kind === "block") {
    return [{ kind: "block", block: { ...message.block, timestampMs: message.block.timestampMs + 1 } }];
  }
  if (message.kind !== "block-range") return undefined;
  const { blocks, finalization } = message;
  const middle = blocks[random.below(blocks.length)]!;
  switch (random.below(TAMPER_WAYS)) {
    case 0:
      return [{ ...message, blocks: blocks.slice(0, -1) }];
    case 1:
      return [{ ...message, blocks: [...blocks].reverse() }];
    case 2:
      return [
        {
          ...message,
          blocks: blocks.map((block) =>
            block === middle ? { ...block, timestampMs: block.timestampMs + 1 } : block,
          ),
        },
      ];
    case 3:
      return [{ ...message, finalization: { ...finalization, signature: random.bytes(SIGNATURE_BYTES) } }];
    default:
      return [];
  }
}
