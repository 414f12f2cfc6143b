import { hash } from "node:crypto";
import { type Bytes, concatBytes } from "@ostrom/base";
import {
  type Certificate,
  type ConsensusDomain,
  domainOfScheme,
  executedSigningBytes,
  type Message,
  type Signatures,
  type StateCertificate,
  type ValidatorSet,
  voteOfCertificate,
  voteSigningBytes,
} from "@ostrom/consensus";
import { readSigners, signatureInList, type ValidatorScheme, validatorScheme } from "@ostrom/crypto";

/** One key's signature on one message. */
export type Statement = { readonly publicKey: Bytes; readonly message: Bytes; readonly signature: Bytes };

/** Checks statements of one scheme on other threads. @returns 1 for each that is good, in their order. */
export type VerifyStatements = (schemeId: number, statements: readonly Statement[]) => Promise<Bytes>;

/** Smaller sets are checked where they are counted: handing their few signatures over costs as much as it saves. */
export const MIN_SET_OFF_THREAD = 16;
/** Statements that are remembered to be good: those of some views of the largest sets. */
const MAX_REMEMBERED = 16_384;

export type StatementDeskPorts = {
  /** undefined: everything is checked where it is counted. */
  readonly verify: VerifyStatements | undefined;
  /** The set of an epoch, as far as it is known. */
  readonly setOf: (epoch: number) => ValidatorSet | undefined;
  readonly failed: (error: unknown) => void;
};

type Waiting = {
  readonly schemeId: number;
  readonly statements: readonly Statement[];
  readonly hear: () => void;
};

/** Where signatures do not aggregate, a certificate of a hundred validators takes tens of milliseconds. Here each statement is checked once, whether it
 * comes as a vote or in one certificate after another, and for large sets on other threads, before the message that it came with is heard. The
 * engines find it among those that are known to be good; what is not, they check and refuse themselves. */
export class StatementDesk {
  /** For the engines: it remembers what was good. */
  readonly domain: ConsensusDomain;
  readonly #ports: StatementDeskPorts;
  readonly #good = new Set<string>();
  #waiting: Waiting[] = [];
  #isBusy = false;

  constructor(domain: ConsensusDomain, ports: StatementDeskPorts) {
    this.#ports = ports;
    const known = new Map<number, Signatures>();
    const signaturesOf = (schemeId: number): Signatures | undefined => {
      const inner = domainOfScheme(domain, schemeId)?.signatures;
      if (inner === undefined) return undefined;
      const wrapped =
        known.get(schemeId) ??
        (inner.aggregates ? this.#rememberingAggregates(inner) : this.#remembering(inner));
      known.set(schemeId, wrapped);
      return wrapped;
    };
    const signatures = signaturesOf(domain.signatures.schemeId) ?? domain.signatures;
    this.domain = { ...domain, signatures, signaturesOf };
  }

  /** How many statements are remembered. */
  get size(): number {
    return this.#good.size;
  }

  /** Has a message heard as soon as its signatures are checked: at once if there is nothing to check elsewhere. Messages that wait are heard in the
   * order in which they came. */
  settle(message: Message, hear: () => void): void {
    const found = this.#ports.verify === undefined ? undefined : statementsOf(this, this.#ports, message);
    const open = found?.statements.filter((one) => !this.#good.has(nameOf(found.schemeId, one))) ?? [];
    if (found === undefined || open.length === 0) {
      hear();
      return;
    }
    this.#waiting.push({ schemeId: found.schemeId, statements: open, hear });
    if (!this.#isBusy) void this.#work(this.#ports.verify!).catch(this.#ports.failed);
  }

  /** One batch after another: what comes while one is checked makes up the next. */
  async #work(verify: VerifyStatements): Promise<void> {
    this.#isBusy = true;
    try {
      while (this.#waiting.length > 0) {
        const batch = this.#waiting;
        this.#waiting = [];
        for (const schemeId of new Set(batch.map((one) => one.schemeId))) {
          const statements = batch.flatMap((one) => (one.schemeId === schemeId ? one.statements : []));
          const flags = await verify(schemeId, statements);
          statements.forEach((one, index) => {
            if (flags[index] === 1) this.#remember(nameOf(schemeId, one));
          });
        }
        for (const { hear } of batch) hear();
      }
    } finally {
      this.#isBusy = false;
    }
  }

  #remember(name: string): void {
    this.#good.add(name);
    if (this.#good.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#good) {
      this.#good.delete(oldest);
      return;
    }
  }

  /** The same certificate comes by itself, in a proposal, and from several peers: it is checked once. */
  #rememberingAggregates(inner: Signatures): Signatures {
    return {
      ...inner,
      verifyAggregate: (publicKeys, message, joined) => {
        const publicKey = concatBytes(...publicKeys);
        const name = nameOf(inner.schemeId, { publicKey, message, signature: joined });
        if (this.#good.has(name)) return true;
        const isGood = inner.verifyAggregate(publicKeys, message, joined);
        if (isGood) this.#remember(name);
        return isGood;
      },
    };
  }

  #remembering(inner: Signatures): Signatures {
    const scheme = validatorScheme(inner.schemeId);
    const verifyOne = (publicKey: Bytes, message: Bytes, signature: Bytes): boolean => {
      const name = nameOf(inner.schemeId, { publicKey, message, signature });
      if (this.#good.has(name)) return true;
      const isGood = inner.verifyOne(publicKey, message, signature);
      if (isGood) this.#remember(name);
      return isGood;
    };
    if (scheme === undefined) return inner;
    return {
      ...inner,
      verifyOne,
      verifyAggregate: (publicKeys, message, joined) =>
        publicKeys.length > 0 &&
        joined.length === scheme.joinedLength(publicKeys.length) &&
        publicKeys.every((key, place) => verifyOne(key, message, signatureInList(scheme, joined, place))),
    };
  }
}

/** Names a statement by all that it consists of, with lengths, so that nothing can be read in two ways. */
function nameOf(schemeId: number, { publicKey, message, signature }: Statement): string {
  const lengths = Uint8Array.of(schemeId, publicKey.length >> 16, publicKey.length >> 8, publicKey.length);
  return hash("sha256", concatBytes(lengths, publicKey, signature, message), "base64");
}

type Found = { readonly schemeId: number; readonly statements: readonly Statement[] };

/** What a message's signatures say, where they are worth another thread. @returns undefined if there are none; forms that are wrong are the
 * engines' to refuse. */
function statementsOf(
  { domain }: Pick<StatementDesk, "domain">,
  { setOf }: Pick<StatementDeskPorts, "setOf">,
  message: Message,
): Found | undefined {
  const about = (epoch: number, read: (place: Place) => readonly Statement[]): Found | undefined => {
    const set = setOf(epoch);
    const scheme = set === undefined ? undefined : validatorScheme(set.schemeId);
    if (set === undefined || scheme === undefined || scheme.aggregates) return undefined;
    const bound = domainOfScheme(domain, set.schemeId);
    if (bound === undefined || set.validators.length < MIN_SET_OFF_THREAD) return undefined;
    return { schemeId: scheme.id, statements: read({ set, scheme, bound }) };
  };
  const certificate = (one: Certificate): Found | undefined =>
    about(one.epoch, (place) => listed(place, one, voteSigningBytes(place.bound, voteOfCertificate(one))));
  const stateCertificate = (one: StateCertificate): Found | undefined =>
    about(one.executed.epoch, (place) => listed(place, one, executedSigningBytes(place.bound, one.executed)));
  switch (message.kind) {
    case "vote": {
      const { vote, signer, signature } = message.vote;
      return about(vote.epoch, (place) =>
        single(place, signer, signature, voteSigningBytes(place.bound, vote)),
      );
    }
    case "executed": {
      const { executed, signer, signature } = message.executed;
      return about(executed.epoch, (place) =>
        single(place, signer, signature, executedSigningBytes(place.bound, executed)),
      );
    }
    case "certificate":
      return certificate(message.certificate);
    case "state-certificate":
      return stateCertificate(message.certificate);
    case "proposal": {
      const carried = message.block.stateCertificate;
      return carried === undefined ? undefined : stateCertificate(carried);
    }
    case "block-range":
      return certificate(message.finalization);
    case "view-report":
      return message.certificate === undefined ? undefined : certificate(message.certificate);
    case "certificate-request":
    case "block-request":
    case "block":
    case "block-range-request":
    case "view-request":
    case "state-certificate-request":
    case "checkpoint-votes":
    case "checkpoint-request":
      return undefined;
    default:
      return message satisfies never;
  }
}

type Place = {
  readonly set: ValidatorSet;
  readonly scheme: ValidatorScheme;
  readonly bound: ConsensusDomain;
};

function single({ set }: Place, signer: number, signature: Bytes, message: Bytes): readonly Statement[] {
  const publicKey = set.validators[signer]?.consensusKey;
  return publicKey === undefined ? [] : [{ publicKey, message, signature }];
}

function listed(
  { set, scheme }: Place,
  { signers, signature }: { readonly signers: Bytes; readonly signature: Bytes },
  message: Bytes,
): readonly Statement[] {
  const indices = readSigners(set.validators.length, signers);
  if (!indices.ok || signature.length !== scheme.joinedLength(indices.value.length)) return [];
  return indices.value.map((index, place) => ({
    publicKey: set.validators[index]!.consensusKey,
    message,
    signature: signatureInList(scheme, signature, place),
  }));
}
