import { Epoch, Hash, Height, type Random, View, ZERO_HASH } from "@ostrom/base";
import { type Message, type SignedVote, ValidatorIndex, type VoteKind } from "../index.ts";
import { blockAt, certificateOf, proposalOf, signedBy, stateCertificateOf, voteFor } from "./driven-node.ts";

const VOTE_KINDS: readonly VoteKind[] = ["notarize", "nullify", "finalize"];

/** A message of any kind, about a view near this one, as a validator might send it. */
export function messageNear(random: Random, near: number): Message {
  const view = Math.max(1, near - 3 + random.below(8));
  const digest = Hash(random.bytes(32));
  const epoch = Epoch(0);
  const block = blockAt(view);
  const vote: SignedVote = signedBy(random.below(4), voteFor(VOTE_KINDS[random.below(3)]!, view, digest));
  const nullification = certificateOf("nullification", view, ZERO_HASH, [random.below(4)]);
  const { executed } = stateCertificateOf(random.below(10), digest);
  const all: readonly Message[] = [
    proposalOf(block),
    { kind: "vote", vote: vote.vote.kind === "nullify" ? signedBy(1, voteFor("nullify", view)) : vote },
    { kind: "certificate", certificate: nullification },
    { kind: "certificate-request", epoch, view: View(view), want: "any" },
    { kind: "block-request", epoch, view: View(view), digest },
    { kind: "block", block },
    { kind: "block-range-request", fromHeight: Height(random.below(100)) },
    { kind: "block-range", blocks: [block, blockAt(view + 1, block)], finalization: nullification },
    { kind: "view-request", epoch },
    { kind: "view-report", epoch, view: View(view), certificate: nullification },
    {
      kind: "executed",
      executed: { executed, signer: ValidatorIndex(random.below(4)), signature: random.bytes(16) },
    },
    { kind: "state-certificate", certificate: { ...stateCertificateOf(3), signature: random.bytes(16) } },
    { kind: "state-certificate-request", height: Height(random.below(100)) },
  ];
  return all[random.below(all.length)]!;
}

/** The same message with one of its numbers, digests or lists made strange. */
export function bent(random: Random, message: Message): Message {
  const paths: { readonly holder: Record<string, unknown>; readonly key: string }[] = [];
  const collect = (holder: Record<string, unknown>): void => {
    for (const [key, value] of Object.entries(holder)) {
      if (typeof value === "number" || value instanceof Uint8Array) paths.push({ holder, key });
      else if (typeof value === "object" && value !== null) collect(value as Record<string, unknown>);
    }
  };
  const copy = structuredClone(message);
  collect(copy as unknown as Record<string, unknown>);
  const path = paths[random.below(paths.length)];
  if (path === undefined || random.chance(1, 4)) return message;
  const value = path.holder[path.key];
  const numbers = [0, 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER];
  path.holder[path.key] =
    value instanceof Uint8Array
      ? random.bytes([0, 1, value.length, value.length + 1][random.below(4)]!)
      : numbers[random.below(numbers.length)];
  return copy;
}

export function flipped(random: Random, bytes: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(bytes);
  for (let count = 1 + random.below(3); count > 0; count--)
    changed[random.below(changed.length)]! ^= 1 << random.below(8);
  return changed;
}
