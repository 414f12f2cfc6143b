import { toHex } from "@ostrom/base";
import type { DevelopmentObserver, FailureExplanation, ObservedRun } from "@ostrom/dev";
import { createExecutionTracer, TraceBudget, TraceTooLarge } from "@ostrom/execution";
import { type CompiledArtifacts, followArtifacts } from "./compiled-artifacts.ts";
import type { DevelopmentActivity, DevelopmentLog } from "./development-log.ts";
import { type CodeRegistry, createCodeRegistry, explainFailure } from "./solidity-traces/index.ts";

/** Of a run that failed, to tell its stack; a run that is longer has its message alone. */
const MAX_TRACE_BYTES = 1024 * 1024 * 1024;

export type SolidityObserverOptions = {
  /** undefined: nothing is written. */
  readonly log: DevelopmentLog | undefined;
  /** Folders of build infos. */
  readonly artifacts: readonly string[];
};

/** Watches a development chain for contract authors: tells failures in Solidity's terms, and writes what runs. */
export function observeSolidity({ log, artifacts }: SolidityObserverOptions): DevelopmentObserver {
  const registry = createCodeRegistry();
  const compiled = followArtifacts(artifacts, registry);
  let isOn = log !== undefined;
  let ran: DevelopmentActivity[] = [];
  return {
    explainFailure: (run) => explainRun(run, registry, compiled),
    addCompilationResult: (version, input, output) => registry.add(version, input, output),
    setLogging: (wanted) => {
      isOn = wanted;
    },
    onRun: (run, failure) => {
      if (!isOn || log === undefined) return;
      compiled.refresh();
      ran.push(activityOf(run, failure, registry));
    },
    onAnswer: (method, error) => {
      const activity = ran;
      ran = [];
      if (isOn) log?.request(method, activity, error);
    },
    onBlock: ({ number, transactions }) => {
      if (isOn) log?.blocks([{ number: BigInt(number), transactions }]);
    },
  };
}

function explainRun(
  run: ObservedRun,
  registry: CodeRegistry,
  compiled: CompiledArtifacts,
): FailureExplanation | undefined {
  compiled.refresh();
  const tracer = createExecutionTracer(new TraceBudget(MAX_TRACE_BYTES));
  try {
    const { observer, onStep } = tracer;
    run.replay(onStep === undefined ? { observer } : { observer, onStep });
  } catch (error) {
    if (error instanceof TraceTooLarge) return undefined;
    throw error;
  }
  return explainFailure(tracer.trace(), registry);
}

function activityOf(
  run: ObservedRun,
  failure: FailureExplanation | undefined,
  registry: CodeRegistry,
): DevelopmentActivity {
  const { kind, message, transactionHash, blockNumber, blockHash, contractAddress } = run;
  const hash = transactionHash === undefined ? undefined : `0x${transactionHash}`;
  return {
    kind,
    from: toHex(message.from),
    to: message.to === undefined ? undefined : toHex(message.to),
    subject: subjectOf(run, registry),
    value: message.value,
    printed: run.consoleCalls,
    ...(contractAddress === undefined ? {} : { created: toHex(contractAddress) }),
    ...(hash === undefined ? {} : { hash, gasUsed: run.gasUsed, gasLimit: run.gasLimit }),
    ...(blockHash === undefined ? {} : { block: { number: BigInt(blockNumber), hash: blockHash } }),
    ...(failure === undefined ? {} : { failure: { message: failure.message, stack: failure.stack ?? [] } }),
  };
}

const SELECTOR_LENGTH = 4;

/** "Token#transfer", or the name of a contract that is created; undefined where there is no code. */
function subjectOf({ message, codeOf }: ObservedRun, registry: CodeRegistry): string | undefined {
  const { to, data } = message;
  if (to === undefined) return registry.identifyCreation(data)?.contract.name;
  const code = codeOf(to);
  if (code.length === 0) return undefined;
  const contract = registry.identifyDeployed(code)?.contract;
  if (contract === undefined) return "<UnrecognizedContract>#<unrecognized-selector>";
  const selected = contract.functions.get(toHex(data.subarray(0, SELECTOR_LENGTH)).slice(2));
  return `${contract.name}#${selected?.name ?? "<unrecognized-selector>"}`;
}
