import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hashFromHex, must, type Result } from "@ostrom/base";
import { HASH_KECCAK256 } from "@ostrom/crypto";
import { type Header, hashHeader } from "@ostrom/execution";
import { MemoryState } from "@ostrom/state";
import { ANONYMOUS_SESSION } from "./access-control.ts";
import type { Block, RpcBackend } from "./backend.ts";
import { createDispatcher } from "./dispatch.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { revertReason } from "./revert-reason.ts";
import { createServices } from "./services.ts";
import { createFakeBackend, FAKE_RULES } from "./testing/fake-backend.ts";
import type { RpcAnswer } from "./testing/http-client.ts";
import { readExchanges, VECTORS_MISSING } from "./testing/vectors.ts";
import { runTrace } from "./trace-run.ts";

const CHAIN_ID = 3503995874084926n;
const HEAD = 54;
/** The vectors' head, as far as simulated blocks show it. */
const PARENT_HASH = "0xd226371d0b1551adb03fb52b71f08e3e11247fe9b1af994768af8cdaa8e7dcd7";
const HEAD_TIMESTAMP = 540;
const GAS_LIMIT = 0xbebc200n;
/** Which makes the next block's the one that the vectors name. */
const BASE_FEE = 27_412_364n;

/** What follows from state, and from hashes of what follows from it, is not ours: we have the head's header, not its state. Gas that
 * a call runs out of is the node's own limit. */
const STATE_BOUND: ReadonlySet<string> = new Set(["stateRoot", "hash", "parentHash", "blockHash"]);

/** Vectors whose answers need what is not here, each with its reason. */
const NOT_OURS: ReadonlyMap<string, string> = new Map([
  ["blobs", "this chain has no blobs"],
  ["blockhash-complex", "needs the chain's block hashes"],
  ["blockhash-simple", "needs the chain's block hashes"],
  ["blockhash-start-before-head", "needs the chain's block hashes"],
  ["empty-with-block-num-set-firstblock", "needs block 0"],
  ["empty-with-block-num-set-minusone", "needs block 53"],
  ["add-more-non-defined-BlockStateCalls-than-fit-but-now-with-fit", "needs the chain's block hashes"],
  ["overwrite-existing-contract", "needs the chain's contracts"],
  ["self-destructive-contract-produces-logs", "needs the chain's accounts"],
  ["use-as-many-features-as-possible", "needs the chain's accounts"],
]);

function withoutState(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutState);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(
        ([key, entry]) =>
          !(
            STATE_BOUND.has(key) &&
            typeof entry === "string" &&
            !("nonce" in value && key === "hash" && "r" in value)
          ),
      )
      .map(([key, entry]) => [key, withoutState(entry)]),
  );
}

function backend(): RpcBackend {
  const fake = createFakeBackend();
  const genesis = must(fake.chain.block(0), "it has a block");
  const header: Header = {
    ...genesis.header,
    number: HEAD,
    timestamp: HEAD_TIMESTAMP,
    gasLimit: GAS_LIMIT,
    baseFeePerGas: BASE_FEE,
    extraData: new Uint8Array(0),
  };
  assert.ok(hashHeader(header, HASH_KECCAK256).length > 0);
  const head: Block = { header, hash: hashFromHex(PARENT_HASH), transactions: [] };
  const state = MemoryState.of([]);
  const chain: RpcBackend["chain"] = {
    ...fake.chain,
    heads: () => ({ latest: HEAD, certified: HEAD, earliest: 0 }),
    header: (number) => (number === HEAD ? head : undefined),
    block: (number) => (number === HEAD ? head : undefined),
    stateAt: () => ({
      ok: true,
      value: { reader: state, prove: () => assert.fail("nothing is proved"), release: () => {} },
    }),
  };
  const rules = { ...FAKE_RULES, chainId: CHAIN_ID };
  const traced = {
    rules,
    modules: undefined,
    epochs: undefined,
    reads: chain,
    blockHash: () => undefined,
    origin: () => undefined,
    readReason: revertReason,
  };
  return {
    ...fake,
    info: { ...fake.info, rules },
    chain,
    traces: { trace: async (request): Promise<Result<string, never>> => runTrace(traced, request) as never },
  };
}

describe("eth_simulateV1 answers the vectors of execution-apis", { skip: VECTORS_MISSING ?? false }, () => {
  const services = createServices({ backend: backend() }, DEFAULT_LIMITS, (error) =>
    assert.fail(String(error)),
  );
  const dispatch = createDispatcher(services.methods, DEFAULT_LIMITS, (_method, error) => console.log(error));
  for (const { file, method, request, answer } of readExchanges()) {
    if (method !== "eth_simulateV1") continue;
    const reason = NOT_OURS.get(file.replace(/^.*ethSimulate-/, "").replace(/\.io$/, ""));
    test(file, { skip: reason ?? false }, async () => {
      const text = await dispatch(JSON.stringify(request), {
        ...services,
        connection: undefined,
        session: ANONYMOUS_SESSION,
      });
      const ours = JSON.parse(text ?? "") as RpcAnswer;
      if (answer.error !== undefined)
        assert.equal(ours.error?.code, answer.error.code, JSON.stringify(ours.error));
      else assert.deepEqual(withoutState(ours.result ?? ours.error), withoutState(answer.result));
    });
  }
});
