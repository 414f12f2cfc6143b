import { toHexDigits } from "@ostrom/base";
import {
  type Certificate,
  type CertificateKind,
  type ConsensusDomain,
  type Message,
  quorumWeight,
  type SignedVote,
  ValidatorIndex,
  type ValidatorSet,
  type VoteKind,
  voteSigningBytes,
} from "@ostrom/consensus";
import { writeSigners } from "@ostrom/crypto";

const VOTE_OF: Readonly<Record<CertificateKind, VoteKind>> = {
  notarization: "notarize",
  nullification: "nullify",
  finalization: "finalize",
};
const REMEMBERED_VIEWS = 64;

/** What an actor has heard: votes and certificates of the newest views, and what ended the first views of each epoch. */
export class CertificateMemory {
  readonly #votes = new Map<string, Map<number, SignedVote>>();
  readonly #certificates = new Map<string, Certificate>();
  readonly #ends = new Map<string, Certificate>();
  readonly #taken = new Set<string>();

  hear(message: Message): void {
    if (message.kind === "certificate") {
      const { kind, epoch, view } = message.certificate;
      if (kind !== "notarization") this.#ends.set(`${epoch}/${view}`, message.certificate);
      forgetOldest(this.#ends);
      this.#certificates.set(`${kind} ${epoch}/${view}`, message.certificate);
      forgetOldest(this.#certificates);
    }
    if (message.kind === "vote") this.#hearVote(message.vote);
  }

  #hearVote(signed: SignedVote): void {
    const name = nameOf(signed.vote.kind, signed.vote);
    const votes = this.#votes.get(name) ?? new Map<number, SignedVote>();
    votes.set(signed.signer, signed);
    this.#votes.set(name, votes);
    forgetOldest(this.#votes);
  }

  /** Where a view has both, the one that was not asked for. */
  otherKind({ kind, epoch, view }: Certificate): Certificate | undefined {
    if (kind === "finalization") return undefined;
    const other = kind === "notarization" ? "nullification" : "notarization";
    return this.#certificates.get(`${other} ${epoch}/${view}`);
  }

  /** What ended views of the epoch before, once for each receiver. */
  takeEpochBefore(epoch: number, to: number): readonly Certificate[] {
    const name = `${epoch} ${to}`;
    if (epoch === 0 || this.#taken.has(name)) return [];
    this.#taken.add(name);
    return [...this.#ends.values()].filter((end) => end.epoch === epoch - 1);
  }

  votesFor(certificate: Certificate): readonly SignedVote[] {
    return [...(this.#votes.get(nameOf(VOTE_OF[certificate.kind], certificate))?.values() ?? [])];
  }
}

function nameOf(
  kind: VoteKind,
  { epoch, view, digest }: Pick<Certificate, "epoch" | "view" | "digest">,
): string {
  return `${kind} ${epoch}/${view} ${toHexDigits(digest)}`;
}

function forgetOldest(map: Map<string, unknown>): void {
  const oldest = map.keys().next().value;
  if (map.size > REMEMBERED_VIEWS && oldest !== undefined) map.delete(oldest);
}

/** Says the same as a certificate with other signers, the last of those heard, as far as that makes a quorum. */
export function certificateFrom(
  heard: readonly SignedVote[],
  like: Certificate,
  own: {
    /** Of the set's scheme. */
    readonly domain: ConsensusDomain;
    readonly set: ValidatorSet;
    readonly identity: number;
    readonly sign: (message: Uint8Array) => Uint8Array;
  },
): Certificate | undefined {
  const { domain, set, identity, sign } = own;
  if (like.epoch !== set.epoch) return undefined;
  const vote = { kind: VOTE_OF[like.kind], epoch: like.epoch, view: like.view, digest: like.digest };
  const mine: SignedVote = {
    vote,
    signer: ValidatorIndex(identity),
    signature: sign(voteSigningBytes(domain, vote)),
  };
  const chosen: SignedVote[] = [];
  let weight = 0;
  for (const signed of [mine, ...heard.filter(({ signer }) => signer !== identity).reverse()]) {
    const validator = set.validators[signed.signer];
    if (weight >= quorumWeight(set) || validator === undefined) continue;
    if (
      !domain.signatures.verifyOne(validator.consensusKey, voteSigningBytes(domain, vote), signed.signature)
    )
      continue;
    weight += validator.weight;
    chosen.push(signed);
  }
  const ordered = chosen.toSorted((a, b) => a.signer - b.signer);
  const signature = domain.signatures.aggregate(ordered.map((signed) => signed.signature));
  if (weight < quorumWeight(set) || signature === undefined) return undefined;
  const signers = writeSigners(
    set.validators.length,
    ordered.map(({ signer }) => signer),
  );
  return { ...like, signers, signature };
}
