import { must, toHexDigits } from "@ostrom/base";
import { type ConsensusDomain, consensusDomain, type Signatures, type ValidatorSet } from "@ostrom/consensus";
import { keccak256 } from "@ostrom/crypto";
import type { ChainRules, Genesis, SignatureCheck } from "@ostrom/execution";
import {
  BARE_PROGRAM,
  type BatchCheck,
  type BatchLimits,
  type CheckedBatch,
  type CheckedSender,
  type ConsensusKey,
  checkBatch,
  checkSenders,
  EpochSets,
  type ExecutedHead,
  type Execution,
  type ExecutionReport,
  Executor,
  type Installed,
  NodeCore,
  type NodeCoreOptions,
  type RecoveredChain,
  type ReplayedJournal,
  recoverChain,
  replayJournal,
  type SignatureChecker,
  VoteJournal,
} from "@ostrom/runtime";
import { openWriteAheadLog, readMeta, type Store } from "@ostrom/storage";
import type { Boot, BootedNode, Environment } from "./machine.ts";
import { verifyPossession, withSimulatedSignatures } from "./signatures.ts";
import { simulatedTransportKey } from "./transport.ts";

/** How validators make batches. */
export type BatchOptions = {
  readonly mode: SignatureCheck;
  readonly limits: Partial<BatchLimits>;
};

export type SimplexBootOptions = {
  readonly genesis: Genesis;
  readonly signaturesOf: (charge: (us: number) => void) => ConsensusDomain["signaturesOf"];
  /** The machine's consensus keys: two while it changes from one to the other. */
  readonly keys: (machine: number, charge: (us: number) => void) => readonly ConsensusKey[];
  readonly limits: { readonly historyBlocks: number; readonly rotateAtRecords: number };
  /** Modules that the program has; none if absent. */
  readonly installed?: Installed | undefined;
  /** The state after a block is in the machine's store, and no later one. */
  readonly stored?: ((machine: number, report: ExecutionReport, store: Store) => void) | undefined;
  /** @param setOf the validators of an epoch, as far as the machine knows them. */
  readonly executed: (
    machine: number,
    report: ExecutionReport,
    setOf: (epoch: number) => ValidatorSet | undefined,
  ) => void;
  readonly certified: (machine: number, height: number, store: Store) => void;
  readonly punished: (machine: number, peerId: string, reason: string) => void;
  readonly recovered: (machine: number, height: number) => void;
  readonly batches?: {
    readonly limits: Partial<BatchLimits>;
    readonly identityOf: (machine: number) => number;
    /** Notices what a machine keeps of batches. */
    readonly watched: (machine: number, store: Store) => Store;
  };
};

/** Where planted bugs and recorded failures change a node; all else is as in production. */
export type BootSeams = {
  readonly environment?: (environment: Environment) => Environment;
  readonly installed?: (installed: Installed) => Installed;
  readonly replayed?: (replayed: ReplayedJournal, environment: Environment) => ReplayedJournal;
  readonly recovered?: (recovered: RecoveredChain, environment: Environment) => RecoveredChain;
  readonly execution?: (execution: Execution, environment: Environment) => Execution;
  readonly signatures?: (signatures: Signatures) => Signatures;
  readonly checker?: (checker: SignatureChecker) => SignatureChecker;
  readonly booted?: (node: BootedNode, environment: Environment) => BootedNode;
};

const MAX_EXECUTION_MS = 12;
const MAX_SIGNATURE_CHECK_MS = 3;

/** Boots what node/runtime runs in production, on simulated ports. */
export function simplexBoot(options: SimplexBootOptions, seams: BootSeams = {}): Boot {
  const { genesis, limits } = options;
  return async (bare) => {
    const watched = watchedBy(options.batches, bare);
    const environment = seams.environment?.(watched) ?? watched;
    const { machine, clock, random, network, log, charge } = environment;
    const store = environment.openStore();
    const installed = installedBy(options, seams);
    const execution = await openExecution(store, genesis, limits.historyBlocks, environment, {
      installed,
      stored: (report) => options.stored?.(machine, report, store),
    });
    const sets = new EpochSets(store, genesis);
    const found = recoverChain(store, sets);
    const recovered = seams.recovered?.(found, environment) ?? found;
    options.recovered(machine, recovered.tip.height);
    const journalLog = await openWriteAheadLog(environment.openDisk(), random.bytes);
    const read = replayJournal(journalLog.records);
    const replayed = seams.replayed?.(read, environment) ?? read;
    const meta = must(readMeta(store), "an open chain has a name");
    const unsimulated = consensusDomain(meta.genesisHash, meta.hashId, meta.schemeId);
    const domain = withSimulatedSignatures(unsimulated, options.signaturesOf(charge), seams.signatures);
    const mark = environment.votedMark();
    const journal = new VoteJournal({
      log: journalLog.log,
      domain,
      replayed,
      settled: recovered.tip,
      mark,
      rotateAtRecords: limits.rotateAtRecords,
    });
    if (replayed.isEmpty) await journal.begin(mark.epoch !== undefined || recovered.tip.height > 0);
    const core = new NodeCore({
      clock,
      entropy: { bytes: random.bytes },
      log,
      genesis,
      domain,
      keys: { peerId: environment.peerId, consensusKeys: () => options.keys(machine, charge) },
      store,
      network,
      punish: (peerId, reason) => options.punished(machine, peerId, reason),
      execution: seams.execution?.(execution, environment) ?? execution,
      ...partInBatches(options, seams, environment),
      modules: installed.modules,
      journal,
      records: replayed.records,
      recovered,
      head: execution.head,
      listener: {
        block: (report) => options.executed(machine, report, (epoch) => sets.of(epoch)?.validators),
        certified: (height) => options.certified(machine, height, store),
        admitted: () => undefined,
        dropped: () => undefined,
        setsChanged: () => undefined,
        failed: environment.failed,
      },
    });
    const node: BootedNode = {
      handlers: core.handlers,
      start: () => core.start(),
      heads: () => core.heads(),
      store,
      submit: (raws) => core.submit(raws),
      sizes: () => core.sizes(),
    };
    return seams.booted?.(node, environment) ?? node;
  };
}

function watchedBy(batches: SimplexBootOptions["batches"], environment: Environment): Environment {
  if (batches === undefined) return environment;
  return { ...environment, openStore: () => batches.watched(environment.machine, environment.openStore()) };
}

/** Who checks signatures, and what a node makes batches with, where there are any. */
function partInBatches(
  { genesis, batches }: SimplexBootOptions,
  seams: BootSeams,
  environment: Environment,
): Pick<NodeCoreOptions, "checker" | "transport" | "batchLimits"> {
  const checker = simulatedChecker(environment, batches === undefined ? undefined : genesis.rules);
  const part = { checker: seams.checker?.(checker) ?? checker };
  if (batches === undefined) return part;
  const { machine, charge } = environment;
  const transport = simulatedTransportKey(batches.identityOf(machine), charge);
  return { ...part, transport, batchLimits: batches.limits };
}

function installedBy({ installed = BARE_PROGRAM }: SimplexBootOptions, seams: BootSeams): Installed {
  return seams.installed?.(installed) ?? installed;
}

/** The executor without its thread: one block after another, each after a while. */
async function openExecution(
  store: Store,
  genesis: Genesis,
  historyBlocks: number,
  { wait }: Environment,
  program: { readonly installed: Installed; readonly stored: (report: ExecutionReport) => void },
): Promise<Execution & { readonly head: ExecutedHead }> {
  const executor = await Executor.open(store, genesis, historyBlocks, verifyPossession, program.installed);
  let last: Promise<unknown> = Promise.resolve();
  return {
    head: executor.head(),
    execute: (input) => {
      const run = last
        .then(() => wait(MAX_EXECUTION_MS))
        .then(async () => {
          const report = await executor.execute(input);
          program.stored(report);
          return report;
        });
      last = run.catch(() => undefined);
      return run;
    },
    stop: async () => undefined,
  };
}

/** Who signed a transaction is the same in all nodes and all seeds, so it is computed once. */
const senders = new Map<string, CheckedSender>();

/** What a batch is, is the same in all nodes too. */
const checkedBatches = new Map<string, CheckedBatch>();
const MAX_CHECKED_BATCHES = 4_096;

function checkedOnce(rules: ChainRules, check: BatchCheck): CheckedBatch {
  const name = `${check.believes} ${toHexDigits(keccak256(check.bytes))}`;
  const known = checkedBatches.get(name) ?? checkBatch(rules, check);
  if (checkedBatches.size >= MAX_CHECKED_BATCHES) checkedBatches.clear();
  checkedBatches.set(name, known);
  return known;
}

/** @param rules where there are batches. */
export function simulatedChecker({ wait }: Environment, rules?: ChainRules): SignatureChecker {
  return {
    checkBatch:
      rules === undefined
        ? undefined
        : async (check) => {
            await wait(MAX_SIGNATURE_CHECK_MS);
            return checkedOnce(rules, check);
          },
    check: async (raws, keys) => {
      await wait(MAX_SIGNATURE_CHECK_MS);
      return raws.map((raw, index) => {
        const named = keys?.[index];
        if (named !== undefined) return checkSenders([raw], [named])[0]!;
        const name = toHexDigits(keccak256(raw));
        const known = senders.get(name) ?? checkSenders([raw])[0]!;
        senders.set(name, known);
        return known;
      });
    },
    stop: async () => undefined,
  };
}
