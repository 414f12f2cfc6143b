import { equalBytes, type Hash } from "@ostrom/base";
import { type ValidatorSet, validatorSetHash } from "@ostrom/consensus";
import { epochOfHeight, type Header, lastHeight } from "@ostrom/execution";
import { quantity } from "@ostrom/rpc-schema";
import {
  type CertifiedHeader,
  type ClaimedHeader,
  readClaim,
  readSet,
  readStep,
} from "./certified-header.ts";
import { chainOfGenesis, chainOfParameters, type LightChain } from "./chain.ts";
import { type Checkpoint, parseCheckpoint } from "./checkpoint.ts";
import { accept, attempt, type LightFailure, Refusal, refuse } from "./failure.ts";
import { formatTrust, type LightStorage, parseTrust } from "./persistence.ts";
import { readArray } from "./read-json.ts";
import type { LightServer } from "./server.ts";
import { askInTurn, askOne } from "./servers.ts";
import {
  contradiction,
  type Equivocation,
  EquivocationRefusal,
  type Trust,
  takeHead,
  takeStep,
  trustRoot,
} from "./trust.ts";
import { readHeader } from "./verified-headers.ts";

export type FollowerOptions = {
  readonly servers: readonly LightServer[];
  readonly genesis: unknown;
  readonly checkpoint: Checkpoint | string | undefined;
  readonly trustingPeriodMs: number;
  readonly maxHeadAgeMs: number;
  readonly nowMs: () => number;
  readonly storage: LightStorage | undefined;
  readonly areCurvesBroken: boolean;
};

/** What another server said that could not be verified, while one's answer could. */
export type Disagreement = { readonly server: string; readonly failure: LightFailure };

/** Epoch proofs asked for in one request. */
const STEPS_AT_ONCE = 32;
/** Blocks between a certificate and the block that it is to tell of. */
const MAX_PARENTS = 256;

type Following = {
  readonly chain: LightChain;
  /** Where other servers' chains are verified from, never older than the trusting period: what sets signed that have long gone is no
   * evidence against anybody. */
  root: Trust;
  trust: Trust;
};

/** Follows the chain of validator sets, from what was given to the newest certified header. */
export class Follower {
  readonly #options: FollowerOptions;
  #following: Following | undefined;
  #equivocation: Equivocation | undefined;
  #disagreements: readonly Disagreement[] = [];

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** undefined until the first `advance` that got so far. */
  get chain(): LightChain | undefined {
    return this.#following?.chain;
  }

  get trust(): Trust | undefined {
    return this.#following?.trust;
  }

  get equivocation(): Equivocation | undefined {
    return this.#equivocation;
  }

  get disagreements(): readonly Disagreement[] {
    return this.#disagreements;
  }

  /** Goes on to the newest certified header that a server has. @throws Refusal */
  async advance(): Promise<Trust> {
    const { maxHeadAgeMs, storage } = this.#options;
    if (this.#equivocation !== undefined) throw new EquivocationRefusal(this.#equivocation);
    this.#following ??= await this.#start();
    const following = this.#following;
    this.#checkAge(following.trust);
    const before = following.trust;
    try {
      const source = await this.#climbHighest(following);
      await this.#compare(following, source);
    } catch (error) {
      if (error instanceof EquivocationRefusal) this.#equivocation = error.equivocation;
      throw error;
    }
    const { trust, chain } = following;
    const ageMs = this.#ageMs(trust);
    if (ageMs > maxHeadAgeMs) {
      refuse("light/head-too-old", `the newest certified block, ${trust.head.height}, is ${ageMs} ms old`);
    }
    if (this.#ageMs(following.root) > this.#options.trustingPeriodMs / 2) following.root = trust;
    const text = trust === before ? undefined : formatTrust(chain, trust);
    if (text !== undefined) await storage?.save(text);
    return trust;
  }

  async #start(): Promise<Following> {
    const { storage, nowMs } = this.#options;
    const { chain: found, root } = await this.#root();
    const chain = this.#options.areCurvesBroken ? { ...found, refusesCurves: true } : found;
    const stored = await storage?.load();
    const kept = stored === undefined ? undefined : accept(parseTrust(chain, stored, nowMs()));
    const trust = kept !== undefined && kept.head.height > root.head.height ? kept : root;
    return { chain, root: trust, trust };
  }

  async #root(): Promise<Root> {
    const { genesis, checkpoint: text, servers } = this.#options;
    const checkpoint = typeof text === "string" ? accept(parseCheckpoint(text)) : text;
    const known = genesis === undefined ? undefined : accept(chainOfGenesis(genesis));
    if (checkpoint === undefined) return rootOfGenesis(known);
    if (known !== undefined && !equalBytes(known.chain.genesisHash, checkpoint.genesisHash)) {
      refuse("light/wrong-chain", "the checkpoint is of another chain than the genesis");
    }
    return askInTurn(servers)([{ method: "ostrom_getGenesis", params: [] }], async (answers, server) => {
      const answer = given(answers.at(0), "genesis of a chain with votes");
      const chain = known?.chain ?? accept(chainOfParameters(checkpoint.genesisHash, answer));
      return { chain, root: await fetchCheckpoint(chain, checkpoint, server) };
    });
  }

  #ageMs({ head }: Trust): number {
    return this.#options.nowMs() - head.header.timestamp * 1000;
  }

  #checkAge(trust: Trust): void {
    const ageMs = this.#ageMs(trust);
    if (ageMs > this.#options.trustingPeriodMs) {
      refuse(
        "light/checkpoint-too-old",
        `block ${trust.head.height} is ${ageMs} ms old: those who signed it may have left and sold their keys. ` +
          "Start from a newer checkpoint that you have from somebody you trust",
      );
    }
  }

  /** To the highest of the servers' claims that proves true. @returns whose it was. */
  async #climbHighest(following: Following): Promise<LightServer> {
    const failures = new Map<LightServer, LightFailure>();
    const claims = await Promise.all(
      this.#options.servers.map(async (server) => {
        const read = await attempt(async () => {
          const answer = (await askOne(server, [NEWEST])).at(0) ?? null;
          // At its very beginning a chain has no certificate, and genesis is the newest block that is sure.
          if (answer === null && following.trust.head.height === 0) return undefined;
          return accept(readClaim(given(answer, "certified header"), following.chain.rules.hashId));
        });
        if (!read.ok) failures.set(server, read.error);
        return read.ok ? [{ server, claim: read.value }] : [];
      }),
    );
    const height = (claim: ClaimedHeader | undefined): number => claim?.header.number ?? 0;
    const highestFirst = claims.flat().sort((a, b) => height(b.claim) - height(a.claim));
    for (const { server, claim } of highestFirst) {
      try {
        if (claim !== undefined) await this.#climb(following, server, claim);
        return server;
      } catch (error) {
        if (!(error instanceof Refusal) || error instanceof EquivocationRefusal) throw error;
        failures.set(server, error.failure);
      }
    }
    const [first] = this.#options.servers;
    const failure = first === undefined ? undefined : failures.get(first);
    throw new Refusal(failure ?? { code: "light/unreachable", message: "no server is given" });
  }

  /** Epoch by epoch to a header that a server claims, keeping each step that is proved. */
  async #climb(
    following: { readonly chain: LightChain; trust: Trust },
    server: LightServer,
    claim: ClaimedHeader,
  ): Promise<void> {
    const { chain } = following;
    const { nowMs } = this.#options;
    if (claim.header.number < following.trust.head.height) return checkForm(claim);
    const target = epochOfHeight(chain.epochs, claim.header.number);
    while (following.trust.set.epoch < target) {
      const from = following.trust.set.epoch;
      const calls = Array.from({ length: Math.min(STEPS_AT_ONCE, target - from) }, (_, index) => ({
        method: "ostrom_getEpochProof",
        params: [quantity(from + index)],
      }));
      const answers = await askOne(server, calls);
      for (const index of calls.keys()) {
        const step = accept(
          readStep(given(answers.at(index), `proof of epoch ${from + index + 1}`), chain.rules.hashId),
        );
        following.trust = accept(takeStep(chain, following.trust, step, nowMs()));
      }
    }
    following.trust = accept(takeHead(chain, following.trust, claim, nowMs()));
  }

  /** Asks the other servers for the same block. One that proves another is evidence; one that only says so disagrees. */
  async #compare(following: Following, source: LightServer): Promise<void> {
    const { head } = following.trust;
    const found: Disagreement[] = [];
    for (const server of this.#options.servers) {
      if (server === source) continue;
      try {
        await this.#compareWith(following, server, head.height, head.hash);
      } catch (error) {
        if (!(error instanceof Refusal) || error instanceof EquivocationRefusal) throw error;
        found.push({ server: server.name, failure: error.failure });
      }
    }
    this.#disagreements = found;
  }

  async #compareWith(following: Following, server: LightServer, height: number, hash: Hash): Promise<void> {
    const answers = await askOne(server, [{ method: "ostrom_getHeaders", params: [quantity(height), 1] }]);
    const [first] = readArray(answers.at(0), "headers", 1);
    // A server that is behind contradicts nobody.
    if (first === undefined) return;
    const { chain } = following;
    const { hashId } = chain.rules;
    if (equalBytes(readHeader(first, height, hashId).hash, hash)) return;
    if (this.#ageMs(following.root) > this.#options.trustingPeriodMs) {
      refuse(
        "light/servers-disagree",
        `${server.name} has another block ${height}, which nothing can settle`,
      );
    }
    const other = { chain, trust: following.root };
    const certificate = await askOne(server, [
      { method: "ostrom_getStateCertificate", params: [quantity(height)] },
    ]);
    await this.#climb(other, server, accept(readClaim(given(certificate.at(0), "certificate"), hashId)));
    const ours = following.trust.head.certified;
    const theirs = other.trust.head.certified;
    const isProved =
      ours !== undefined &&
      theirs !== undefined &&
      !equalBytes(await ancestorHash(server, theirs, height, hashId), hash);
    if (!isProved) {
      refuse(
        "light/servers-disagree",
        `${server.name} has another block ${height} and no certificate for it`,
      );
    }
    throw new EquivocationRefusal(contradiction(ours, theirs));
  }
}

type Root = { readonly chain: LightChain; readonly root: Trust };
type Known = { readonly chain: LightChain; readonly header: Header; readonly set: ValidatorSet };

function rootOfGenesis(known: Known | undefined): Root {
  if (known === undefined) {
    return refuse("light/checkpoint-malformed", "a light client starts from a genesis or from a checkpoint");
  }
  const { chain, header, set } = known;
  return { chain, root: trustRoot(chain, header, chain.genesisHash, set) };
}

/** The block and the set that a checkpoint names, from whoever has them. */
async function fetchCheckpoint(
  chain: LightChain,
  checkpoint: Checkpoint,
  server: LightServer,
): Promise<Trust> {
  const { height } = checkpoint;
  const own = epochOfHeight(chain.epochs, height);
  // An epoch's last block may be given with the set that follows: an epoch checkpoint names that one.
  const isLast = height === lastHeight(chain.epochs, own);
  const answers = await askOne(server, [
    { method: "ostrom_getHeaders", params: [quantity(height), 1] },
    { method: "ostrom_getValidators", params: [quantity(own)] },
    ...(isLast ? [{ method: "ostrom_getValidators", params: [quantity(own + 1)] }] : []),
  ]);
  const { header, hash } = readHeader(readArray(answers.at(0), "headers", 1)[0], height, chain.rules.hashId);
  if (!equalBytes(hash, checkpoint.hash)) {
    refuse("light/wrong-header", `the server's block ${height} is not the one trusted`);
  }
  const named = (index: number, epoch: number): ValidatorSet | undefined => {
    const set = accept(readSet(answers.at(index)));
    const isNamed =
      set.epoch === epoch && equalBytes(validatorSetHash(chain.domain, set), checkpoint.setHash);
    return isNamed ? set : undefined;
  };
  const set = named(1, own) ?? (isLast ? named(2, own + 1) : undefined);
  if (set === undefined)
    return refuse("light/wrong-set", `the server's set of epoch ${own} is not the one trusted`);
  return trustRoot(chain, header, hash, set);
}

/** The hash of a certified header's ancestor: what was certified above a block tells which block it was. */
async function ancestorHash(
  server: LightServer,
  { header, hash }: CertifiedHeader,
  height: number,
  hashId: number,
): Promise<Hash> {
  const count = header.number - height;
  if (count === 0) return hash;
  if (count < 0 || count > MAX_PARENTS) {
    refuse("light/servers-disagree", `${server.name} certifies no block at or shortly above ${height}`);
  }
  const answers = await askOne(server, [{ method: "ostrom_getHeaders", params: [quantity(height), count] }]);
  const headers = readArray(answers.at(0), "headers", count);
  let { parentHash } = header;
  for (let index = count - 1; index >= 0; index--) {
    const parent = readHeader(headers[index], height + index, hashId);
    if (!equalBytes(parent.hash, parentHash)) {
      refuse("light/servers-disagree", `${server.name} does not show how it comes from block ${height}`);
    }
    if (index > 0) parentHash = parent.header.parentHash;
  }
  return parentHash;
}

/** Of a server that is behind nothing is believed, but its answer must be one. */
function checkForm({ header, hash, certificate: { executed } }: ClaimedHeader): void {
  if (executed.height !== header.number || !equalBytes(executed.executedHash, hash)) {
    refuse("light/wrong-header", "the certificate is for another header");
  }
}

const NEWEST = { method: "ostrom_getStateCertificate", params: ["finalized"] };

/** Servers answer null for what they do not have. */
function given(answer: unknown, what: string): unknown {
  return answer ?? refuse("light/not-available", `the server has no ${what} yet`);
}
