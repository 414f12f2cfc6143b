import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Address, addressFromHex, type Bytes, must, toHex } from "@ostrom/base";
import type { AccountOverride, TraceOptions } from "@ostrom/execution";
import type { TraceFailure, TraceQuery } from "@ostrom/rpc";
import { type LevelStore, openLevelStore } from "@ostrom/storage";
import { asRiscv, asWebAssembly, host } from "../../core/vm/contract-host/testing/portable-program.ts";
import { assemble } from "../../core/vm/testing/assemble.ts";
import { Executor } from "./executor.ts";
import { DEFAULT_ENGINE } from "./installed-engine.ts";
import { BARE_PARTS } from "./module-loading.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import { CONTRACT_CHAIN_HISTORY, contractChain } from "./testing/contract-chain.ts";
import { TraceClient } from "./trace-client.ts";

installNativeCrypto();
const BLOCKS = CONTRACT_CHAIN_HISTORY + 3;
/** A thread starts within this, whatever else the machine does. */
const LONG_MS = 120_000;
const MAX_BYTES = 2 ** 22;
/** Less than a node gives the thread, so that it is soon full. */
const HEAP_MB = 128;
const GAS = 30_000_000n;
const TARGET = addressFromHex(`0x${"7a".repeat(20)}`);
const OTHER = addressFromHex(`0x${"07".repeat(20)}`);
const CALLS: TraceOptions = { tracer: "callTracer", options: { onlyTopCall: false, withLog: true } };
const STEPS: TraceOptions = {
  tracer: "structLogger",
  options: {
    enableMemory: false,
    disableStack: false,
    disableStorage: false,
    enableReturnData: false,
    limit: 0,
  },
};

/** JUMPDEST PUSH0 JUMP: spends its gas, or all the time there is. */
const ENDLESS = Uint8Array.of(0x5b, 0x5f, 0x56);

type Frame = {
  readonly type: string;
  readonly to: string;
  readonly error?: string;
  readonly output?: string;
  readonly calls?: readonly Frame[];
};

describe("the thread that runs transactions again", () => {
  let folder: string;
  let store: LevelStore;
  let client: TraceClient;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "ostrom-traces-"));
    const databasePath = join(folder, "chain");
    const chain = contractChain(BLOCKS);
    store = await openLevelStore(databasePath);
    const executor = await Executor.open(store, chain.genesis, CONTRACT_CHAIN_HISTORY);
    for (let height = 1; height <= BLOCKS; height++) await executor.execute(chain.inputOf(height));
    const { rules } = chain.genesis;
    client = new TraceClient(
      {
        databasePath,
        historyBlocks: CONTRACT_CHAIN_HISTORY,
        rules,
        engine: DEFAULT_ENGINE,
        program: BARE_PARTS,
        epochs: chain.genesis,
      },
      () => undefined,
      HEAP_MB,
    );
  });
  after(async () => {
    await client.stop();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  const ask = async (
    query: TraceQuery,
    { timeoutMs = LONG_MS, maxBytes = MAX_BYTES } = {},
  ): Promise<{ readonly text: string } | { readonly failure: TraceFailure }> => {
    const answer = await client.trace({ query, timeoutMs, maxBytes });
    return answer.ok ? { text: answer.value } : { failure: answer.error };
  };
  const answered = async (query: TraceQuery): Promise<unknown> => {
    const answer = await ask(query);
    assert.ok("text" in answer, JSON.stringify(answer));
    return JSON.parse(answer.text);
  };
  const refused = async (query: TraceQuery, limits?: Parameters<typeof ask>[1]): Promise<string> => {
    const answer = await ask(query, limits);
    return "failure" in answer ? answer.failure.code : `it was answered: ${answer.text.slice(0, 200)}`;
  };
  /** A call of code that stands at TARGET for this call alone. */
  const callOf = (
    code: Bytes,
    options: TraceOptions = CALLS,
    others: readonly (readonly [Address, Bytes])[] = [],
    gas: bigint = GAS,
  ): TraceQuery => ({
    kind: "call",
    blockNumber: BLOCKS,
    transactionIndex: undefined,
    request: { to: TARGET, gas },
    accountOverrides: [[TARGET, code] as const, ...others].map(
      ([address, bytes]): AccountOverride => ({ address, code: bytes }),
    ),
    blockOverride: {},
    gasCap: gas,
    options,
  });
  const transaction: TraceQuery = { kind: "transaction", blockNumber: BLOCKS, index: 0, options: CALLS };

  test("a transaction of a block is run again from the database", async () => {
    const frame = (await answered(transaction)) as Frame;
    assert.equal(frame.type, "CALL");
    assert.deepEqual(
      frame.calls?.map(({ type, to }) => [type, to]),
      [["CALL", frame.to]],
    );
  });

  test("a block that is older than history is an error that says so", async () => {
    const query = { ...transaction, blockNumber: BLOCKS - CONTRACT_CHAIN_HISTORY - 1 };
    assert.equal(await refused(query), "rpc/state-too-old");
  });

  test("a run that does not end is ended with its thread, and the next question is answered", async () => {
    assert.equal(await refused(callOf(ENDLESS, CALLS, [], 10n ** 15n), { timeoutMs: 200 }), "rpc/timeout");
    assert.equal(((await answered(transaction)) as Frame).type, "CALL");
  });

  test("a question whose time has passed in the line is told so, and those behind it are answered", async () => {
    const first = answered(transaction);
    const late = refused(transaction, { timeoutMs: 0 });
    const last = answered(transaction);
    assert.equal(await late, "rpc/busy");
    assert.deepEqual(await last, await first);
  });

  test("more questions than the line has room for are refused at once", async () => {
    const running = Array.from({ length: 64 }, () => ask({ ...transaction, blockNumber: BLOCKS + 1 }));
    assert.equal(await refused(transaction), "rpc/busy");
    for (const answer of await Promise.all(running)) {
      assert.ok("failure" in answer && answer.failure.code === "rpc/unknown-block", JSON.stringify(answer));
    }
    assert.equal(((await answered(transaction)) as Frame).type, "CALL");
  });

  test("a trace that holds more than a thread may is ended with its thread, and the next question is answered", async () => {
    // Nothing but the budget would stop it, and this one is larger than the heap.
    const limits = { maxBytes: 2 ** 40 };
    assert.equal(await refused(callOf(ENDLESS, STEPS, [], 10n ** 12n), limits), "execution/trace-too-large");
    assert.equal(((await answered(transaction)) as Frame).type, "CALL");
  });

  const MEGABYTES = 3_000_000n;
  const MEGABYTE = 1_000_000n;
  const recursion = assemble(0n, 0n, 0n, 0n, 0n, "ADDRESS", "GAS", "CALL", "STOP");
  const grown = assemble(
    1n,
    MEGABYTES,
    "MSTORE8",
    ...Array.from({ length: 200 }, () => ["MSIZE", "POP"]).flat(),
  );
  const returning = assemble(MEGABYTE, 0n, "RETURN");
  const collecting = assemble(
    ...Array.from({ length: 8 }, () => [
      0n,
      0n,
      0n,
      0n,
      0n,
      BigInt(toHex(OTHER)),
      "GAS",
      "CALL",
      "POP",
    ]).flat(),
  );
  const withMemory: TraceOptions = { ...STEPS, options: { ...STEPS.options, enableMemory: true } };
  const HOSTILE: readonly (readonly [string, TraceQuery])[] = [
    ["30 million gas of steps", callOf(ENDLESS, STEPS)],
    ["memory shown at each step", callOf(grown, withMemory)],
    ["return data that is copied again and again", callOf(collecting, CALLS, [[OTHER, returning]])],
  ];
  for (const [what, query] of HOSTILE) {
    test(`${what}: refused where it is larger than a trace may be`, async () => {
      assert.equal(await refused(query), "execution/trace-too-large");
    });
  }

  test("30 million gas of steps are a short answer for who asks for messages alone", async () => {
    const frame = (await answered(callOf(ENDLESS))) as Frame;
    assert.equal(frame.error, "out of gas");
  });

  test("messages within messages, as deep as gas takes them, are an answer that can be read", async () => {
    let frame = (await answered(callOf(recursion))) as Frame;
    let depth = 1;
    while (frame.calls !== undefined) {
      frame = must(frame.calls[0], "a list of messages is not empty");
      depth++;
    }
    assert.ok(depth > 300, `${depth} deep`);
  });

  test("programs in WebAssembly and RISC-V are messages of a trace, and have no steps", async () => {
    const program = { steps: [host("output", [0, 0])], exit: 0 };
    for (const [kind, file] of [
      [1, asWebAssembly(program)],
      [2, asRiscv(program)],
    ] as const) {
      const deployed = Uint8Array.of(0xef, 0x0a, kind, ...file);
      const caller = assemble(0n, 0n, 0n, 0n, 0n, BigInt(toHex(OTHER)), "GAS", "CALL", "STOP");
      const others = [[OTHER, deployed]] as const;
      const frame = (await answered(callOf(caller, CALLS, others))) as Frame;
      const [called] = frame.calls ?? [];
      assert.deepEqual([called?.type, called?.to, called?.error], ["CALL", toHex(OTHER), undefined]);
      const { structLogs } = (await answered(callOf(caller, STEPS, others))) as {
        readonly structLogs: readonly { readonly depth: number; readonly stack: readonly string[] }[];
      };
      assert.ok(structLogs.every(({ depth }) => depth === 1));
      assert.equal(structLogs.at(-1)?.stack.at(-1), "0x1", "the program ended well");
    }
  });
});
