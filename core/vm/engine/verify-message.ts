import { type Address, type Bytes, toHex, toHexDigits } from "@ostrom/base";
import type { JournaledState } from "@ostrom/state";
import { executeMessage } from "../execute-message.ts";
import type { ExecutionContext, Message, Outcome } from "../types.ts";

/** Two engines have given one message two results. Which of them is wrong is for people to find out: until then nothing that
 * this node computes can be relied on, so it must stop, and never go on with either result. */
export class EngineDivergence extends Error {
  override readonly name = "EngineDivergence";
  readonly code = "vm/engines-differ";
}

/** The reference is some hundred times as slow: what used more gas than this is not run twice, or a block would wait for it. */
export const MAX_VERIFIED_GAS: bigint = 2n ** 20n;

/** What a run has written, by names for people: how to read it, and what it was before. */
type Written = Map<string, { readonly read: () => string; readonly before: string }>;

/** Runs a message twice, in the engine and then in the reference, and leaves what the reference left; once, if it used more
 * than MAX_VERIFIED_GAS.
 * @param execute the engine.
 * Throws EngineDivergence if outcome, logs, refund or any value of the state differ. */
export function verifyMessage(
  context: ExecutionContext,
  message: Message,
  execute: (context: ExecutionContext) => Outcome,
): Outcome {
  const { state } = context;
  const checkpoint = state.checkpoint();
  const written: Written = new Map();
  const recorded: ExecutionContext = { ...context, state: recordWrites(state, written) };
  const first = execute(recorded);
  if (message.gas - first.gasLeft > MAX_VERIFIED_GAS) return first;
  const actual = observe(first, state, written);
  state.revertTo(checkpoint);
  const outcome = executeMessage(recorded, message);
  const expected = observe(outcome, state, written);
  const differences = describeDifferences(expected, actual, written);
  if (differences.length > 0) throw divergence(context, message, differences);
  return outcome;
}

/** All that a run has come to, by name. Which of several faults a frame had is a message to people, and up to an engine. */
function observe(outcome: Outcome, state: JournaledState, written: Written): ReadonlyMap<string, string> {
  const logs = state
    .logs()
    .map(({ address, topics, data }) => [address, ...topics, data].map(toHex).join(" "));
  return new Map([
    ["status", outcome.status],
    ["gas left", String(outcome.gasLeft)],
    ["output", toHex(outcome.output)],
    ["created", outcome.created === undefined ? "nothing" : toHex(outcome.created)],
    ["refund", String(state.refund())],
    ["logs", logs.join("; ")],
    ...[...written].map(([name, { read }]) => [name, read()] as const),
  ]);
}

/** What only the reference wrote has, after the engine, the value that it had before. */
function describeDifferences(
  expected: ReadonlyMap<string, string>,
  actual: ReadonlyMap<string, string>,
  written: Written,
): readonly string[] {
  return [...expected]
    .map(([name, value]) => ({ name, value, other: actual.get(name) ?? written.get(name)?.before }))
    .filter(({ value, other }) => value !== other)
    .map(({ name, value, other }) => `${name}: reference ${value}, engine ${other}`);
}

function divergence(
  { block, transaction }: ExecutionContext,
  { caller, to, data, gas }: Message,
  differences: readonly string[],
): EngineDivergence {
  const target = to === undefined ? "a creation" : toHex(to);
  return new EngineDivergence(
    `the engine and the reference differ at block ${block.number}, origin ${toHex(transaction.origin)}, caller ${toHex(caller)}, ` +
      `to ${target}, gas ${gas}, data ${toHex(data)}: ${differences.join(", ")}. Nothing was stored. Keep the database and ` +
      "this message for the developers; a node with other versions or on another machine may go on.",
  );
}

/** The same state; what it is told to change is noted besides. */
function recordWrites(state: JournaledState, written: Written): JournaledState {
  const note = (name: string, read: () => string): void => {
    if (!written.has(name)) written.set(name, { read, before: read() });
  };
  const ofAccount = (address: Address, what: string, read: () => string): void =>
    note(`${what} of ${toHexDigits(address)}`, read);
  return {
    ...forwardReads(state),
    setBalance: (address, balance) => {
      ofAccount(address, "balance", () => String(state.balance(address)));
      state.setBalance(address, balance);
    },
    setNonce: (address, nonce) => {
      ofAccount(address, "nonce", () => String(state.nonce(address)));
      state.setNonce(address, nonce);
    },
    setCode: (address: Address, code: Bytes) => {
      ofAccount(address, "code", () => toHex(state.codeHash(address) ?? state.code(address)));
      state.setCode(address, code);
    },
    touch: (address) => {
      ofAccount(address, "existence", () => String(state.exists(address)));
      state.touch(address);
    },
    setStorage: (address, slot, value) => {
      ofAccount(address, `slot ${slot}`, () => String(state.storage(address, slot)));
      state.setStorage(address, slot, value);
    },
    setTransientStorage: (address, slot, value) => {
      ofAccount(address, `transient slot ${slot}`, () => String(state.transientStorage(address, slot)));
      state.setTransientStorage(address, slot, value);
    },
    markCreated: (address) => {
      ofAccount(address, "creation", () => String(state.wasCreated(address)));
      state.markCreated(address);
    },
    markSelfDestructed: (address) => {
      ofAccount(address, "balance", () => String(state.balance(address)));
      state.markSelfDestructed(address);
    },
  };
}

/** Everything else, and what leaves traces that `observe` reads anyway or that show in gas: logs, refunds, warm sets. */
function forwardReads(
  state: JournaledState,
): Omit<
  JournaledState,
  | "setBalance"
  | "setNonce"
  | "setCode"
  | "touch"
  | "setStorage"
  | "setTransientStorage"
  | "markCreated"
  | "markSelfDestructed"
> {
  return {
    beginTransaction: () => state.beginTransaction(),
    endTransaction: () => state.endTransaction(),
    checkpoint: () => state.checkpoint(),
    revertTo: (checkpoint) => state.revertTo(checkpoint),
    address: (address) => state.address(address),
    exists: (address) => state.exists(address),
    isEmpty: (address) => state.isEmpty(address),
    balance: (address) => state.balance(address),
    nonce: (address) => state.nonce(address),
    code: (address) => state.code(address),
    codeHash: (address) => state.codeHash(address),
    hasStorage: (address) => state.hasStorage(address),
    storage: (address, slot) => state.storage(address, slot),
    originalStorage: (address, slot) => state.originalStorage(address, slot),
    transientStorage: (address, slot) => state.transientStorage(address, slot),
    warmAddress: (address) => state.warmAddress(address),
    warmSlot: (address, slot) => state.warmSlot(address, slot),
    refund: () => state.refund(),
    addRefund: (delta) => state.addRefund(delta),
    addLog: (log) => state.addLog(log),
    logs: () => state.logs(),
    wasCreated: (address) => state.wasCreated(address),
  };
}
