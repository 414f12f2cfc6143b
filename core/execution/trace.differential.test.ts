import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFromHex, type Bytes, must, toHex, ZERO_HASH } from "@ostrom/base";
import { commitState, type GenesisAccount, MemoryState } from "@ostrom/state";
import { blobBaseFee, describeOpcode, type Fork, forkRules, GAS_PER_BLOB } from "@ostrom/vm";

import { generateScenario, SCENARIO_CHAIN_ID, type Scenario } from "../../tools/vectors/scenario.ts";
import { type AppliedTransaction, applyTransaction } from "./apply-transaction.ts";
import { ObservedState } from "./observed-state.ts";
import { observeTheirSteps, type TheirStep } from "./testing/their-steps.ts";
import { TraceBudget } from "./trace-budget.ts";
import { createTracer, type TraceOptions, watchTransaction } from "./trace-transaction.ts";
import type { TransactionTracer } from "./tracer.ts";

const FORKS: readonly Fork[] = ["cancun", "prague", "osaka"];
/** For each fork. */
const COMPARED_PROGRAMS = 50;
/** For each fork. */
const DIFFERENCES = 150;
const MAX_TRACE_BYTES = 2 ** 28;

type LoggedStep = {
  readonly pc: number;
  readonly op: string;
  readonly gas: number;
  readonly gasCost: number;
  readonly depth: number;
  readonly stack: readonly string[];
  readonly error?: string;
};
type Logged = { readonly structLogs: readonly LoggedStep[] };
type AccountText = {
  readonly balance?: string;
  readonly nonce?: number;
  readonly code?: string;
  readonly storage?: Readonly<Record<string, string>>;
};
type Accounts = Readonly<Record<string, AccountText>>;
type Difference = { readonly pre: Accounts; readonly post: Accounts };

type Traced = {
  readonly applied: AppliedTransaction;
  readonly trace: unknown;
  readonly stateRoot: string;
};

/** @returns undefined: the transaction is refused. */
function traceScenario(scenario: Scenario, options: TraceOptions): Traced | undefined {
  const tracer = createTracer(options, new TraceBudget(MAX_TRACE_BYTES), () => undefined);
  return watchScenario(scenario, tracer);
}

function watchScenario(scenario: Scenario, tracer: TransactionTracer): Traced | undefined {
  const { fork, block, transaction, accounts } = scenario;
  const before = MemoryState.of(accounts);
  const environment = {
    fork,
    state: new ObservedState(before),
    gasCharge: "used" as const,
    room: { gas: block.gasLimit, blobGas: forkRules(fork).blobs.maxPerBlock * GAS_PER_BLOB },
    block: {
      ...block,
      chainId: SCENARIO_CHAIN_ID,
      blobBaseFee: blobBaseFee(fork, block.excessBlobGas),
      blockHash: () => ZERO_HASH,
    },
  };
  const applied = watchTransaction(tracer, environment, transaction, 0, (watched) =>
    applyTransaction(watched, transaction),
  );
  if (!applied.ok) return undefined;
  const trace: unknown = JSON.parse(tracer.finish(applied.value));
  const stateRoot = toHex(commitState(before, environment.state.changes()).stateRoot);
  return { applied: applied.value, trace, stateRoot };
}

const STEPS: TraceOptions = {
  tracer: "structLogger",
  options: {
    enableMemory: false,
    disableStack: false,
    disableStorage: true,
    enableReturnData: false,
    limit: 0,
  },
};

/** What both tell of a step. They call all opcodes that are none INVALID. */
function nameOf({ pc, op, gas, depth, stack }: Omit<LoggedStep, "gasCost">): string {
  const name = op.startsWith("opcode ") ? "INVALID" : op;
  return `${pc} ${name} gas ${gas} depth ${depth} [${stack.join(",")}]`;
}

function theirName(step: TheirStep, fork: Fork): string {
  return nameOf({
    pc: step.programCounter,
    op: describeOpcode(step.opcode, fork),
    gas: Number(step.gasLeft),
    depth: step.depth,
    stack: step.stack.map((word) => `0x${word.toString(16)}`),
  });
}

/** @returns what differs first. */
function stepDifference(
  ours: readonly LoggedStep[],
  theirs: readonly TheirStep[],
  fork: Fork,
): string | undefined {
  for (const [index, step] of ours.entries()) {
    const their = theirs[index];
    const name = their === undefined ? "none" : theirName(their, fork);
    if (nameOf(step) !== name) return `step ${index}: ours ${nameOf(step)}, theirs ${name}`;
  }
  return theirs.length === ours.length ? undefined : `they have ${theirs.length - ours.length} more steps`;
}

for (const fork of FORKS) {
  test(`generated programs take the steps that another implementation takes (${fork})`, async (context) => {
    let steps = 0;
    let deepest = 0;
    for (let seed = 1; seed <= COMPARED_PROGRAMS; seed++) {
      const scenario = generateScenario(fork, seed);
      const traced = traceScenario(scenario, STEPS);
      if (traced === undefined) continue;
      const { structLogs } = traced.trace as Logged;
      const theirs = await observeTheirSteps(scenario);
      assert.equal(stepDifference(structLogs, theirs, fork), undefined, `seed ${seed}`);
      steps += theirs.length;
      deepest = structLogs.reduce((depth, step) => Math.max(depth, step.depth), deepest);
    }
    assert.ok(steps > 1_000 && deepest > 2, `${steps} steps, ${deepest} deep`);
    context.diagnostic(`${steps} steps, ${deepest} deep`);
  });
}

test("what a step leaves of its message's gas is what the next one has, and what it sends comes out of it", () => {
  let checked = 0;
  for (let seed = 1; seed <= COMPARED_PROGRAMS; seed++) {
    const traced = traceScenario(generateScenario("osaka", seed), STEPS);
    if (traced === undefined) continue;
    const { structLogs } = traced.trace as Logged;
    for (const [index, step] of structLogs.slice(0, -1).entries()) {
      const following = must(structLogs[index + 1], "it is not the last");
      if (following.depth !== step.depth || SENDS.has(step.op)) continue;
      // A message ends, and another of the same depth begins only after an instruction of their sender.
      assert.equal(step.gas - step.gasCost, following.gas, `seed ${seed}, step ${index}: ${step.op}`);
      checked++;
    }
  }
  assert.ok(checked > 1_000, String(checked));
});
const SENDS: ReadonlySet<string> = new Set([
  ...["CALL", "CALLCODE", "DELEGATECALL", "STATICCALL", "CREATE", "CREATE2"],
]);

/** What accounts are when a difference has been applied to them. */
function applyDifference(accounts: readonly GenesisAccount[], { pre, post }: Difference): GenesisAccount[] {
  const after = new Map<string, GenesisAccount>(accounts.map((account) => [toHex(account.address), account]));
  for (const [address, text] of Object.entries(pre)) {
    const account = must(after.get(address), `${address} must have been there before`);
    assertIsBefore(account, text);
    if (post[address] === undefined) after.delete(address);
  }
  for (const [address, change] of Object.entries(post)) {
    const nothing = { address: addressFromHex(address), nonce: 0n, balance: 0n, code: NO_CODE, storage: [] };
    const before = pre[address] === undefined ? nothing : must(after.get(address), "it was there");
    after.set(address, changed(before, pre[address]?.storage ?? {}, change));
  }
  return [...after.values()];
}

const NO_CODE: Bytes = new Uint8Array(0);

function assertIsBefore(account: GenesisAccount, text: AccountText): void {
  assert.equal(BigInt(text.balance ?? 0), account.balance);
  assert.equal(BigInt(text.nonce ?? 0), account.nonce);
  assert.equal(text.code ?? "0x", toHex(account.code));
  for (const [slot, value] of Object.entries(text.storage ?? {})) {
    assert.equal(account.storage.find((entry) => entry.slot === BigInt(slot))?.value ?? 0n, BigInt(value));
  }
}

function changed(
  before: GenesisAccount,
  slotsBefore: Readonly<Record<string, string>>,
  change: AccountText,
): GenesisAccount {
  const slots = new Map(before.storage.map(({ slot, value }) => [slot, value]));
  // What is told of before alone is cleared.
  for (const slot of Object.keys(slotsBefore)) slots.delete(BigInt(slot));
  for (const [slot, value] of Object.entries(change.storage ?? {})) slots.set(BigInt(slot), BigInt(value));
  return {
    address: before.address,
    balance: change.balance === undefined ? before.balance : BigInt(change.balance),
    nonce: change.nonce === undefined ? before.nonce : BigInt(change.nonce),
    code: change.code === undefined ? before.code : Uint8Array.from(Buffer.from(change.code.slice(2), "hex")),
    storage: [...slots].map(([slot, value]) => ({ slot, value })),
  };
}

const DIFFERENCE: TraceOptions = {
  tracer: "prestateTracer",
  options: { diffMode: true, disableCode: false, disableStorage: false, includeEmpty: false },
};

for (const fork of FORKS) {
  test(`the state before with the difference applied is the state after (${fork})`, () => {
    const seen = { created: 0, gone: 0, failed: 0, cleared: 0, slots: 0 };
    for (let seed = 1; seed <= DIFFERENCES; seed++) {
      const scenario = generateScenario(fork, seed);
      const traced = traceScenario(scenario, DIFFERENCE);
      if (traced === undefined) continue;
      const difference = traced.trace as Difference;
      const { pre, post } = difference;
      const after = MemoryState.of(applyDifference(scenario.accounts, difference));
      assert.equal(toHex(after.stateRoot), traced.stateRoot, `seed ${seed}`);
      if (!traced.applied.succeeded) seen.failed++;
      for (const [address, { code, storage }] of Object.entries(post)) {
        if (code !== undefined) seen.created++;
        const slots = Object.keys(storage ?? {});
        seen.slots += slots.length;
        seen.cleared += Object.keys(pre[address]?.storage ?? {}).filter(
          (slot) => !slots.includes(slot),
        ).length;
      }
      seen.gone += Object.keys(pre).filter((address) => post[address] === undefined).length;
    }
    const { created, failed, cleared, slots } = seen;
    assert.ok(created > 5 && failed > 5 && cleared > 5 && slots > 5, JSON.stringify(seen));
  });
}
