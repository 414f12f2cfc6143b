import {
  type Bytes,
  concatBytes,
  EMPTY_BYTES,
  type Hash,
  type Random,
  toHexDigits,
  unwrap,
} from "@ostrom/base";
import { decodeMessage, encodeMessage, type Message, type OrderedBlock } from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import {
  type Attestation,
  attestationSigningBytes,
  type BatchAuthors,
  type BatchHeader,
  type BatchMessage,
  beginGathering,
  type CertifiedBatch,
  certifiedOf,
  decodeBatch,
  decodeBatchMessage,
  decodeOrderedPayload,
  encodeBatch,
  encodeBatchMessage,
  encodeOrderedPayload,
  type Gathering,
  gather,
} from "@ostrom/dissemination";
import type { Channel, Network, PeerId } from "@ostrom/network";
import { type Actor, type ActorTools, proposal } from "./actors.ts";

/** Byzantine actors that lie about batches. Each is a real node whose outgoing messages are bent.
 * - batchLiar: its batches name transactions that nobody has signed; attests to whatever it hears of, and certifies the lies of its like
 *   (as many as there are in a set collude).
 * - bodyHider: sends its batches to as few as it needs, and answers nobody who asks.
 * - garbageSender: its batches cannot be read, or their headers say something else than they hold.
 * - twoFaced: two batches, or two headers of one, for each number.
 * - batchSpammer: batches beyond any quota, requests, answers, attestations and certificates that nobody wants.
 * - repeater: as a leader refers to batches that were ordered before, twice, that expired, that nobody certified, or passes over. */
export const BATCH_ACTOR_NAMES = [
  "batchLiar",
  "bodyHider",
  "garbageSender",
  "twoFaced",
  "batchSpammer",
  "repeater",
] as const;

export type BatchActorName = (typeof BATCH_ACTOR_NAMES)[number];

export function isBatchActor(name: string): name is BatchActorName {
  return BATCH_ACTOR_NAMES.some((known) => known === name);
}

/** What a liar about batches has besides. */
export type BatchActorTools = ActorTools & {
  /** The set of an epoch, as batches need it. */
  readonly authorsOf: (epoch: number) => BatchAuthors | undefined;
  /** Certified batches that it has heard of, over all its lives, oldest first. */
  readonly remembered: CertifiedBatch[];
  /** With the key of its links. */
  readonly signWithTransport: (message: Bytes) => Bytes;
};

type Author = { readonly bend: (to: number, message: BatchMessage) => readonly BatchMessage[] | undefined };
type Made = { readonly attestation: Attestation; readonly batch: Bytes };

const MAX_REMEMBERED = 256;
const DIGEST_BYTES = 32;
const SIGNATURE_BYTES = 32;
const SPAM = 6;
const GARBAGE_WAYS = 5;
const LEADER_WAYS = 5;
const FAR_SEQUENCES = 1_000_000;

/** Puts an actor between a node and its network. */
export function createBatchActor(name: BatchActorName, network: Network, tools: BatchActorTools): Actor {
  const liar = name === "batchLiar" ? new Liar(network, tools) : undefined;
  const leader = name === "repeater" ? new RepeatingLeader(tools) : undefined;
  const author = liar ?? authorOf(name, network, tools);
  const send = (peerId: PeerId, channel: Channel, payload: Bytes): boolean => {
    if (channel === "consensus" && leader !== undefined)
      return network.send(peerId, channel, leader.bend(payload, tools.identityOfPeer(peerId)));
    if (channel !== "batches") return network.send(peerId, channel, payload);
    const message = unwrap(decodeBatchMessage(payload));
    leader?.hear(message);
    const bent = author?.bend(tools.identityOfPeer(peerId), message);
    if (bent === undefined) return network.send(peerId, channel, payload);
    tools.bent(undefined, tools.identityOfPeer(peerId));
    for (const one of bent) network.send(peerId, channel, encodeBatchMessage(one));
    return true;
  };
  return {
    network: {
      send,
      broadcast: (channel, payload) => {
        const peers = network.connected();
        for (const peerId of peers) send(peerId, channel, payload);
        return peers.length;
      },
      connected: network.connected,
    },
    heard: (channel, payload) => {
      if (channel !== "batches") return;
      const read = decodeBatchMessage(payload);
      if (!read.ok) return;
      leader?.hear(read.value);
      liar?.hear(read.value);
    },
  };
}

function authorOf(name: BatchActorName, network: Network, tools: BatchActorTools): Author | undefined {
  switch (name) {
    case "bodyHider":
      return { bend: (to, message) => hide(tools, network, to, message) };
    case "garbageSender":
      return remade((made) => [garbage(tools, made)]);
    case "twoFaced":
      return remade((made, to) => faces(tools, made, to));
    case "batchSpammer":
      return { bend: (_, message) => [message, ...spam(tools, message)] };
    case "batchLiar":
    case "repeater":
      return undefined;
    default:
      return name satisfies never;
  }
}

/** An author that sends others than its node has made. */
function remade(remake: (made: Made, to: number) => readonly Made[] | undefined): Author {
  const own = new Map<string, readonly Made[] | undefined>();
  return {
    bend: (to, message) => {
      if (message.kind !== "batch") return undefined;
      const name = `${toHexDigits(message.attestation.signature)} ${to}`;
      if (!own.has(name)) own.set(name, remake(message, to));
      if (own.size > MAX_REMEMBERED) own.clear();
      return own.get(name)?.map((made) => ({ kind: "batch", ...made }));
    },
  };
}

function sign({ domain, signWithTransport }: BatchActorTools, header: BatchHeader, batch: Bytes): Made {
  const signature = signWithTransport(attestationSigningBytes(domain.genesisHash, header));
  return { attestation: { header, signer: header.author, signature }, batch };
}

/** Another body in the place of the one that the node has made. */
function withBody(tools: BatchActorTools, header: BatchHeader, batch: Bytes, gasLimit: bigint): Made {
  return sign(tools, { ...header, digest: keccak256(batch), byteLength: batch.length, gasLimit }, batch);
}

/** To as few as make a certificate with its own attestation. */
function hide(
  { authorsOf, identityOfPeer }: BatchActorTools,
  network: Network,
  to: number,
  message: BatchMessage,
): readonly BatchMessage[] | undefined {
  if (message.kind === "found") return [];
  if (message.kind !== "batch") return undefined;
  const { epoch } = message.attestation.header;
  const few = Math.ceil((authorsOf(epoch)?.keys.length ?? 1) / 3);
  const chosen = network
    .connected()
    .map(identityOfPeer)
    .sort((a, b) => a - b)
    .slice(0, few);
  return chosen.includes(to) ? undefined : [];
}

function garbage(tools: BatchActorTools, { attestation: { header }, batch }: Made): Made {
  const { random } = tools;
  const way = header.sequence % GARBAGE_WAYS;
  if (way === 0) return withBody(tools, header, random.bytes(1 + random.below(200)), header.gasLimit);
  if (way === 1) return sign(tools, { ...header, gasLimit: header.gasLimit / 2n }, batch);
  if (way === 2) return sign(tools, { ...header, count: header.count + 1 }, batch);
  if (way === 3) return sign(tools, { ...header, expiryHeight: header.expiryHeight + 1 }, batch);
  const { place, transactions, claims } = unwrap(decodeBatch(batch));
  const noise = transactions.map((raw) => concatBytes(raw.subarray(0, 1), random.bytes(raw.length)));
  return withBody(tools, header, encodeBatch({ place, transactions: noise, claims }), header.gasLimit);
}

function faces(tools: BatchActorTools, made: Made, to: number): readonly Made[] | undefined {
  const { header } = made.attestation;
  if (to % 2 === 0) return undefined;
  const { place, transactions, claims } = unwrap(decodeBatch(made.batch));
  const isOther = header.sequence % 2 === 0 && transactions.length > 1 && claims.length === 0;
  const reversed = encodeBatch({ place, transactions: transactions.toReversed(), claims });
  const later = { ...header, expiryHeight: header.expiryHeight + 1 };
  const moved = encodeBatch({
    place: { ...place, expiryHeight: later.expiryHeight },
    transactions,
    claims,
  });
  const other = isOther
    ? withBody(tools, header, reversed, header.gasLimit)
    : withBody(tools, later, moved, header.gasLimit);
  // Some see both.
  return to % 4 === 3 ? [made, other] : [other];
}

function spam(tools: BatchActorTools, message: BatchMessage): readonly BatchMessage[] {
  const { random } = tools;
  const header = headerOf(message);
  if (header === undefined || !random.chance(1, 2)) return [];
  const noise: BatchMessage[] = Array.from({ length: SPAM }, () => {
    const raws = Array.from({ length: 1 + random.below(8) }, () => random.bytes(1 + random.below(200)));
    const sequence = header.sequence + 1 + random.below(FAR_SEQUENCES);
    const { epoch, author, expiryHeight } = header;
    const place = { epoch, author, sequence, expiryHeight };
    const batch = encodeBatch({ place, transactions: raws, claims: EMPTY_BYTES });
    return { kind: "batch", ...withBody(tools, { ...header, sequence, count: raws.length }, batch, 0n) };
  });
  const digests = Array.from({ length: 16 }, () => random.bytes(DIGEST_BYTES) as Hash);
  const signature = random.bytes(SIGNATURE_BYTES);
  const certified = { header, signers: random.bytes(1), signatures: [signature, signature] };
  return [
    ...noise,
    { kind: "wanted", digests },
    { kind: "wanted", digests: Array.from({ length: 16 }, () => header.digest) },
    { kind: "found", batches: [random.bytes(100)] },
    { kind: "attestation", attestation: { header, signer: header.author, signature } },
    { kind: "certified", certified },
  ];
}

function headerOf(message: BatchMessage): BatchHeader | undefined {
  if (message.kind === "batch" || message.kind === "attestation") return message.attestation.header;
  return message.kind === "certified" ? message.certified.header : undefined;
}

/** Sends batches of transactions that nobody has signed, and gathers for them what it can get. */
class Liar implements Author {
  readonly #network: Network;
  readonly #tools: BatchActorTools;
  readonly #lies = new Map<string, { readonly made: Made; gathering: Gathering }>();

  constructor(network: Network, tools: BatchActorTools) {
    this.#network = network;
    this.#tools = tools;
  }

  bend(_to: number, message: BatchMessage): readonly BatchMessage[] | undefined {
    if (message.kind !== "batch") return undefined;
    const { header } = message.attestation;
    const name = `${header.epoch}/${header.sequence}`;
    let lie = this.#lies.get(name);
    if (lie === undefined) {
      const made = falseBatch(this.#tools, message);
      lie = { made, gathering: beginGathering(made.attestation) };
      if (this.#lies.size > MAX_REMEMBERED) this.#lies.clear();
      this.#lies.set(name, lie);
    }
    return [{ kind: "batch", ...lie.made }];
  }

  /** Attests to everything at once, and certifies lies if others have attested to them. */
  hear(message: BatchMessage): void {
    const { authorsOf, seatIn, setOf, domain, signWithTransport } = this.#tools;
    if (message.kind === "batch") {
      const { header } = message.attestation;
      const set = setOf(header.epoch);
      const seat = set === undefined ? undefined : seatIn(set);
      if (seat === undefined || seat === header.author) return;
      const signature = signWithTransport(attestationSigningBytes(domain.genesisHash, header));
      this.#tell({ kind: "attestation", attestation: { header, signer: seat, signature } });
      return;
    }
    if (message.kind !== "attestation") return;
    const { header } = message.attestation;
    const lie = this.#lies.get(`${header.epoch}/${header.sequence}`);
    const authors = authorsOf(header.epoch);
    if (lie === undefined || authors === undefined) return;
    lie.gathering = gather(lie.gathering, message.attestation);
    const certified = certifiedOf(authors, lie.gathering);
    if (certified !== undefined) this.#tell({ kind: "certified", certified });
  }

  #tell(message: BatchMessage): void {
    const payload = encodeBatchMessage(message);
    for (const peerId of this.#network.connected()) this.#network.send(peerId, "batches", payload);
  }
}

/** One transaction is changed after it was signed: somebody else's name stands for it, where claims are believed. */
function falseBatch(tools: BatchActorTools, { attestation: { header }, batch }: Made): Made {
  const { place, transactions, claims } = unwrap(decodeBatch(batch));
  const changed = tools.random.below(transactions.length);
  const raws = transactions.map((raw, index) =>
    index === changed ? changedSignature(tools.random, raw) : raw,
  );
  return withBody(tools, header, encodeBatch({ place, transactions: raws, claims }), header.gasLimit);
}

/** The last bytes of a transaction are its signature's s, whose highest byte stays: it is as low as before. */
function changedSignature(random: Random, raw: Bytes): Bytes {
  const changed = raw.slice();
  changed.set(random.bytes(8), changed.length - 8);
  return changed;
}

/** A leader whose proposals refer to what they must not. */
class RepeatingLeader {
  readonly #tools: BatchActorTools;
  readonly #certified: CertifiedBatch[];
  readonly #bent = new Map<string, Bytes>();

  constructor(tools: BatchActorTools) {
    this.#tools = tools;
    this.#certified = tools.remembered;
  }

  hear(message: BatchMessage): void {
    if (message.kind !== "certified") return;
    const name = nameOf(message.certified);
    if (this.#certified.some((known) => nameOf(known) === name)) return;
    this.#certified.push(message.certified);
    if (this.#certified.length > MAX_REMEMBERED) this.#certified.shift();
  }

  /** The same for all who get it. */
  bend(payload: Bytes, to: number): Bytes {
    const message: Message = unwrap(decodeMessage(payload));
    if (message.kind !== "proposal" || this.#certified.length === 0) return payload;
    const { block } = message;
    const name = `${block.epoch}/${block.view}`;
    const known = this.#bent.get(name);
    if (known !== undefined) return known;
    const bent = proposal(this.#tools, this.#rewritten(block));
    this.#tools.bent(bent, to);
    const bytes = encodeMessage(bent);
    if (this.#bent.size > MAX_REMEMBERED) this.#bent.clear();
    this.#bent.set(name, bytes);
    return bytes;
  }

  #rewritten(block: OrderedBlock): OrderedBlock {
    const { random } = this.#tools;
    const read = decodeOrderedPayload(block.payload);
    if (!read.ok) return block;
    const { inline, batches } = read.value;
    const recent = this.#certified.filter(({ header }) => header.epoch === block.epoch);
    const oldest = recent[0] ?? this.#certified[0]!;
    const any = this.#certified[random.below(this.#certified.length)]!;
    const ways: readonly (readonly CertifiedBatch[])[] = [
      [oldest, ...batches],
      [...batches, recent.at(-1) ?? any, recent.at(-1) ?? any],
      recent.slice(-1),
      [{ ...any, signatures: any.signatures.map(() => random.bytes(SIGNATURE_BYTES)) }],
      [...batches, any],
    ];
    const changed = ways[random.below(LEADER_WAYS)]!;
    return { ...block, payload: encodeOrderedPayload({ inline, batches: changed }) };
  }
}

function nameOf({ header: { epoch, author, sequence } }: CertifiedBatch): string {
  return `${epoch}/${author}/${sequence}`;
}
