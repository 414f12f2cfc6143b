import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY_BYTES } from "@ostrom/base";
import { executeMessage } from "../execute-message.ts";
import { HEAP } from "../runtime/memory-layout.ts";
import { assemble } from "../testing/assemble.ts";
import { CONTRACT } from "../testing/run-code.ts";
import type { ExecutionContext } from "../types.ts";
import { createContractEngine } from "./contract-engine.ts";
import { type CodeRun, difference, observe, randomRun } from "./testing/compare-engines.ts";
import { EngineDivergence, verifyMessage } from "./verify-message.ts";

const RUN: CodeRun = {
  fork: "osaka",
  code: assemble(
    7n,
    32n,
    "MSTORE",
    "GAS",
    "POP",
    0n,
    0n,
    0n,
    0n,
    0n,
    9n,
    5000n,
    "CALL",
    "POP",
    32n,
    "MLOAD",
    0n,
    "SSTORE",
  ),
  otherCode: EMPTY_BYTES,
  data: EMPTY_BYTES,
  gas: 100_000n,
};

const RUN_ADDRESS = CONTRACT;

test("a message that is run twice leaves what it leaves when it is run once", () => {
  const engine = createContractEngine({ tiers: "tier0", verifyEvery: 2 });
  for (let seed = 1; seed <= 40; seed++) {
    assert.equal(difference(engine.execute, randomRun(seed)), undefined, `seed ${seed}`);
  }
  assert.equal(engine.counts.verified, 20);
});

test("a bit of memory that flips unnoticed is found when the message is run twice, and stops whoever runs it", () => {
  const options = {
    tiers: "tier0",
    disturb: ({ buffer }: { readonly buffer: ArrayBuffer }): void => {
      // The word that the contract has stored, after its call.
      const bytes = new Uint8Array(buffer, HEAP, 1024);
      const at = bytes.indexOf(7);
      if (at >= 0) bytes[at] = 6;
    },
  } as const;
  const unnoticed = createContractEngine(options);
  assert.notEqual(observe(unnoticed.execute, RUN), observe(executeMessage, RUN));
  const engine = createContractEngine({ ...options, verifyEvery: 1 });
  assert.throws(() => observe(engine.execute, RUN), {
    name: "EngineDivergence",
    code: "vm/engines-differ",
    message: /slot 0 of c0c0c0[^:]*: reference 7, engine 6/,
  });
});

test("each part of a result is compared: status, gas, output, logs, refund, and what either engine has written", () => {
  const broken: readonly (readonly [RegExp, (context: ExecutionContext) => void])[] = [
    [/refund: /, ({ state }) => state.addRefund(1n)],
    [/logs: /, (context) => context.state.addLog({ address: RUN_ADDRESS, topics: [], data: EMPTY_BYTES })],
    [/nonce of /, ({ state }) => state.setNonce(RUN_ADDRESS, 5n)],
    [/balance of /, ({ state }) => state.setBalance(RUN_ADDRESS, 5n)],
    [/code of /, ({ state }) => state.setCode(RUN_ADDRESS, Uint8Array.of(1))],
    [/transient slot 3 of /, ({ state }) => state.setTransientStorage(RUN_ADDRESS, 3n, 1n)],
    [/creation of /, ({ state }) => state.markCreated(RUN_ADDRESS)],
  ];
  for (const [message, change] of broken) {
    const verify: typeof executeMessage = (context, sent) =>
      verifyMessage(context, sent, (recorded) => {
        const outcome = executeMessage(recorded, sent);
        change(recorded);
        return outcome;
      });
    assert.throws(
      () => observe(verify, RUN),
      (error) => error instanceof EngineDivergence && message.test(error.message),
    );
  }
  const wrong: typeof executeMessage = (context, sent) =>
    verifyMessage(context, sent, (recorded) => ({ ...executeMessage(recorded, sent), gasLeft: 1n }));
  assert.throws(() => observe(wrong, RUN), /gas left: reference \d+, engine 1/);
});

test("a message that used much gas is not run twice", () => {
  let runs = 0;
  const counting: typeof executeMessage = (context, sent) =>
    verifyMessage({ ...context }, sent, (recorded) => {
      runs++;
      return { ...executeMessage(recorded, sent), gasLeft: 0n };
    });
  observe(counting, { ...RUN, gas: 2_000_000n });
  assert.equal(runs, 1);
});
