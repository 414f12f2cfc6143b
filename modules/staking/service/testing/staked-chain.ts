import {
  type Bytes,
  EMPTY_BYTES,
  Epoch,
  type Hash,
  Height,
  must,
  toHexDigits,
  unwrap,
  utf8,
  View,
  Weight,
  ZERO_HASH,
} from "@ostrom/base";
import {
  type Evidence,
  encodeBlock,
  encodeEvidence,
  ethereumDomain,
  leaderOf,
  type OrderedBlock,
  orderDigest,
  type StateCertificate,
  ValidatorIndex,
  type Vote,
  voteSigningBytes,
} from "@ostrom/consensus";
import { bls, deriveBlsSecretKey, ecvrf, keccak256, SCHEME_BLS12381, writeSigners } from "@ostrom/crypto";
import {
  addressOfSecretKey,
  createGenesis,
  encodePayload,
  epochOfHeight,
  type Genesis,
  genesisHash,
  genesisModule,
  installModules,
  lastHeight,
  signTransaction,
} from "@ostrom/execution";
import {
  consensusSet,
  type ExecutionReport,
  Executor,
  type ModuleCall,
  type ModuleParticipant,
  type ModuleReads,
} from "@ostrom/runtime";
import { stakingV1 } from "@ostrom/staking-chain";
import { type StateReader, storeReader } from "@ostrom/state";
import {
  createMemoryStore,
  readHeader,
  readReceipts,
  readStoredValidatorSet,
  type Store,
  type StoredValidatorSet,
} from "@ostrom/storage";
import { FORKS } from "@ostrom/vm";
import { type ActMemory, callOfAct, NO_MEMORY, nextActs, readDuties, type SeenEvidence } from "../index.ts";
import { VRF_KEY } from "../keys.ts";
import { stakingSettings } from "../settings.ts";

export const CHAIN_ID = 4_711n;
export const COIN: bigint = 10n ** 18n;
const EPOCH_LENGTH = 10;
const EPOCH_LEAD = 4;
const HISTORY_BLOCKS = 64;
const GAS = 3_000_000n;
const MAX_FEE = 10n ** 12n;
const BLOCK_MS = 1_000;

/** Somebody with all keys that a validator has, derived from a number. */
export type Actor = {
  readonly index: number;
  readonly secret: Bytes;
  readonly consensusSecret: Bytes;
  readonly vrfSecret: Bytes;
  memory: ActMemory;
  nonce: bigint;
};

function actor(index: number): Actor {
  const seed = (kind: string): Hash => keccak256(utf8(`${kind} ${index}`));
  return {
    index,
    secret: seed("account"),
    consensusSecret: deriveBlsSecretKey(seed("consensus")),
    vrfSecret: seed("vrf"),
    memory: NO_MEMORY,
    nonce: 0n,
  };
}

export function participant({ index, secret, consensusSecret, vrfSecret }: Actor): ModuleParticipant {
  return {
    name: `validator-${index}`,
    organisation: `organisation-${index}`,
    account: addressOfSecretKey(secret),
    weight: 1 + (index % 3),
    consensusKey: bls().publicKey(consensusSecret),
    proofOfPossession: bls().provePossession(consensusSecret),
    transportKey: keccak256(utf8(`transport ${index}`)),
    host: "127.0.0.1",
    port: 30_000 + index,
    keys: { [VRF_KEY]: ecvrf().publicKey(vrfSecret) },
  };
}

/** A chain that staking leads from genesis on, on the real executor: blocks are ordered by hand, with the leader that the set's seed gives
 * and a state certificate for the block before. */
export class StakedChain {
  readonly actors: readonly Actor[];
  readonly store: Store = createMemoryStore();
  readonly genesis: Genesis;
  readonly genesisHash: Hash;
  readonly reports: ExecutionReport[] = [];
  readonly evidence: (SeenEvidence & { readonly validator: number })[] = [];
  /** Who does not take part in consensus: neither leads nor signs. */
  readonly absent: Set<number> = new Set<number>();
  #executor: Executor | undefined;
  #parent: { readonly digest: Hash; readonly view: number } | undefined;

  constructor(
    actorCount: number,
    validatorCount: number,
    options: Readonly<Record<string, string>> = {},
    epochLength: number = EPOCH_LENGTH,
  ) {
    this.actors = Array.from({ length: actorCount }, (_, index) => actor(index));
    const participants = this.actors.slice(0, validatorCount).map(participant);
    const { settings } = unwrap(stakingSettings({ chainId: CHAIN_ID, validators: participants, options }));
    this.genesis = createGenesis({
      profile: "dev",
      chainId: CHAIN_ID,
      timestampMs: 1_800_000_000_000,
      validators: participants.map((one) => ({ ...one, address: one.account, weight: Weight(one.weight) })),
      accounts: this.actors.map(({ secret }) => ({
        address: addressOfSecretKey(secret),
        balance: 1_000_000n * COIN,
        nonce: 0n,
        code: EMPTY_BYTES,
        storage: [],
      })),
      epochLength,
      epochLead: EPOCH_LEAD,
      validatorSets: { kind: "module", name: "staking" },
      modules: { authority: undefined, active: [genesisModule(stakingV1, settings)] },
    });
    this.genesisHash = genesisHash(this.genesis);
  }

  async start(): Promise<void> {
    const installed = { modules: installModules([stakingV1]), forks: FORKS };
    const verify = (key: Bytes, proof: Bytes): boolean => bls().verifyPossession(key, proof);
    this.#executor = await Executor.open(this.store, this.genesis, HISTORY_BLOCKS, verify, installed);
  }

  get height(): number {
    return this.reports.length;
  }

  get state(): StateReader {
    return storeReader(this.store);
  }

  setOf(epoch: number): StoredValidatorSet | undefined {
    return readStoredValidatorSet(this.store, epoch);
  }

  /** Executes one block with these calls. @returns whether each of them succeeded, in order. */
  async block(
    calls: readonly (readonly [from: Actor, call: ModuleCall])[] = [],
  ): Promise<readonly boolean[]> {
    const transactions = calls.map(([from, call]) => this.#sign(from, call));
    const { block, digest } = this.#order(transactions);
    const report = await must(this.#executor, "start comes first").execute({
      height: block.height,
      view: block.view,
      epoch: block.epoch,
      timestampMs: block.timestampMs,
      orderDigest: digest,
      proposer: must(this.setOf(block.epoch)?.validators[block.proposer], "the proposer is of the set")
        .address,
      senders: EMPTY_BYTES,
      orderedBlock: encodeBlock(block),
      finalization: EMPTY_BYTES,
    });
    this.reports.push(report);
    const receipts = must(readReceipts(this.store, this.height), "receipts are stored");
    const included = new Map(
      report.included.map((hash, index) => [toHexDigits(hash), receipts[index]?.succeeded]),
    );
    return transactions.map((raw) => included.get(toHexDigits(keccak256(raw))) === true);
  }

  /** One block with what the services of these actors send. @returns what they sent, with its outcome. */
  async serve(served: readonly Actor[]): Promise<readonly string[]> {
    const calls: (readonly [Actor, ModuleCall])[] = [];
    const kinds: string[] = [];
    for (const one of served) {
      const account = addressOfSecretKey(one.secret);
      const asker = { account, vrfKey: ecvrf().publicKey(one.vrfSecret) };
      const view = readDuties(this.state, { chainId: CHAIN_ID, height: this.height }, asker, this.evidence);
      const { acts, memory } = nextActs(view, one.memory, account);
      one.memory = memory;
      for (const act of acts) {
        calls.push([one, must(callOfAct(act, one.vrfSecret), "everybody has the key")]);
        kinds.push(`${act.kind} by ${one.index}`);
      }
    }
    const outcomes = await this.block(calls);
    return kinds.map((kind, index) => `${kind}: ${outcomes[index] ? "done" : "reverted"}`);
  }

  /** Serves until the first block of an epoch is executed. @returns all that was sent. */
  async serveUntil(epoch: number, served: readonly Actor[] = this.actors): Promise<readonly string[]> {
    const sent: string[] = [];
    const until = lastHeight(this.genesis, epoch - 1) + 1;
    while (this.height < until) sent.push(...(await this.serve(served)));
    return sent;
  }

  /** Somebody votes for two blocks of one view, and everybody sees it. */
  equivocate(culprit: Actor, epoch: number, view = 3): void {
    const domain = ethereumDomain(this.genesisHash);
    const key = bls().publicKey(culprit.consensusSecret);
    const index = must(this.setOf(epoch), "decided").validators.findIndex(
      ({ consensusKey }) => toHexDigits(consensusKey) === toHexDigits(key),
    );
    const signer = ValidatorIndex(index);
    const statement = (digest: Hash) => {
      const vote: Vote = { kind: "notarize", epoch: Epoch(epoch), view: View(view), digest };
      return { vote, signer, signature: bls().sign(culprit.consensusSecret, voteSigningBytes(domain, vote)) };
    };
    const first = statement(keccak256(utf8("one")));
    const evidence: Evidence = {
      kind: "votes",
      validator: signer,
      first,
      second: statement(keccak256(utf8("two"))),
    };
    this.evidence.push({ epoch, validator: index, consensusKey: key, evidence: encodeEvidence(evidence) });
  }

  /** What JSON-RPC methods read. */
  reads(): ModuleReads {
    return {
      chainId: CHAIN_ID,
      genesisHash: this.genesisHash,
      heads: () => ({ latest: this.height, certified: this.height, earliest: 0 }),
      header: (height) => readHeader(this.store, height)?.header,
      withState: (_block, use) => use(this.state, this.height),
      call: () => Promise.reject(new Error("no method needs it")),
      logs: () => Promise.reject(new Error("no method needs it")),
      validators: {
        epochs: { length: this.genesis.epochLength, lead: EPOCH_LEAD },
        currentEpoch: () => epochOfHeight(this.genesis, this.height + 1),
        set: (epoch) => {
          const set = this.setOf(epoch);
          return set === undefined ? undefined : { ...set, hash: ZERO_HASH };
        },
        evidence: (from) =>
          this.evidence
            .filter(({ epoch }) => epoch >= from)
            .map(({ epoch, validator, evidence }) => ({ epoch, validator, kind: "votes", bytes: evidence })),
      },
    };
  }

  #sign(from: Actor, { to, data, value = 0n }: ModuleCall): Bytes {
    const fields = {
      chainId: CHAIN_ID,
      nonce: from.nonce++,
      gasLimit: GAS,
      maxFeePerGas: MAX_FEE,
      to,
      data,
      value,
    };
    return signTransaction(fields, from.secret).raw;
  }

  /** Views of absent leaders pass. */
  #order(transactions: readonly Bytes[]): { readonly block: OrderedBlock; readonly digest: Hash } {
    const height = this.height + 1;
    const epoch = epochOfHeight(this.genesis, height);
    const domain = ethereumDomain(this.genesisHash);
    const stored = must(this.setOf(epoch), "an epoch's set is decided before it begins");
    const set = consensusSet(stored, epoch);
    const isFirst = height === 1 || epochOfHeight(this.genesis, height - 1) !== epoch;
    const parentView = isFirst ? 0 : must(this.#parent, "there is a parent").view;
    const absent = stored.validators.map(({ name }) => this.absent.has(Number(name.split("-")[1])));
    let view = parentView + 1;
    while (absent[leaderOf(domain, set, View(view))]) view++;
    const block: OrderedBlock = {
      epoch: Epoch(epoch),
      view: View(view),
      height: Height(height),
      parent: this.#parent?.digest ?? this.genesisHash,
      parentView: View(parentView),
      timestampMs: this.genesis.timestampMs + height * BLOCK_MS,
      proposer: leaderOf(domain, set, View(view)),
      stateCertificate: this.#certificate(absent, epoch),
      payload: encodePayload(transactions),
    };
    const digest = orderDigest(domain, block);
    this.#parent = { digest, view };
    return { block, digest };
  }

  /** Of the block before, with the signatures of all that are there; nobody looks at the aggregate here. */
  #certificate(absent: readonly boolean[], epoch: number): StateCertificate | undefined {
    const report = this.reports.at(-1);
    if (report === undefined || report.epoch !== epoch) return undefined;
    const { height, orderDigest: ordered, executedHash, nextSetHash } = report;
    const executed = {
      epoch: Epoch(epoch),
      height: Height(height),
      orderDigest: ordered,
      executedHash,
      nextSetHash,
    };
    const signers = absent.flatMap((isAbsent, index) => (isAbsent ? [] : [index]));
    return {
      schemeId: SCHEME_BLS12381,
      executed,
      signers: writeSigners(absent.length, signers),
      signature: new Uint8Array(96),
    };
  }
}
