import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Hash, hashFromHex, must, type Result, ZERO_ADDRESS } from "@ostrom/base";
import { decodeRlpWith, encodeRlp, encodeRlpListOfEncoded, readRlpBytes, readRlpList } from "@ostrom/codec";
import { HASH_KECCAK256, keccak256 } from "@ostrom/crypto";
import { type Header, hashHeader } from "@ostrom/execution";
import { type GenesisAccount, MemoryState } from "@ostrom/state";
import { ANONYMOUS_SESSION } from "./access-control.ts";
import type { Block, RpcBackend } from "./backend.ts";
import { createDispatcher } from "./dispatch.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { revertReason } from "./revert-reason.ts";
import { createServices } from "./services.ts";
import { createFakeBackend, FAKE_RULES } from "./testing/fake-backend.ts";
import type { RpcAnswer } from "./testing/http-client.ts";
import { readChain, readExchanges, VECTORS_MISSING } from "./testing/vectors.ts";
import { runTrace } from "./trace-run.ts";

const CHAIN_ID = 3503995874084926n;
const HEAD = 54;
/** The vectors' head, as far as simulated blocks show it. */
const PARENT_HASH = "0xd226371d0b1551adb03fb52b71f08e3e11247fe9b1af994768af8cdaa8e7dcd7";
const HEAD_TIMESTAMP = 540;
const GAS_LIMIT = 0xbebc200n;
/** Which makes the next block's the one that the vectors name. */
const BASE_FEE = 27_412_364n;

/** Of the vectors' chain, those whose being there shows in the gas of simulated calls: all its blocks' fees went to the zero address. */
const ACCOUNTS: readonly GenesisAccount[] = [
  { address: ZERO_ADDRESS, nonce: 0n, balance: 1n, code: new Uint8Array(0), storage: [] },
];

/** What follows from state, and from hashes of what follows from it, is not ours: we have the head's header, not its state. Gas that
 * a call runs out of is the node's own limit. */
const STATE_BOUND: ReadonlySet<string> = new Set(["stateRoot", "hash", "parentHash", "blockHash"]);

const HASHES_OF_SIMULATED = "its calls return hashes of simulated blocks, which have the chain's state root";
/** Vectors whose answers need what is not here, each with its reason. */
const NOT_OURS: ReadonlyMap<string, string> = new Map([
  ["blobs", "this chain has no blobs"],
  ["blockhash-complex", HASHES_OF_SIMULATED],
  ["blockhash-start-before-head", HASHES_OF_SIMULATED],
  ["add-more-non-defined-BlockStateCalls-than-fit-but-now-with-fit", HASHES_OF_SIMULATED],
  ["empty-with-block-num-set-firstblock", "needs block 0"],
  ["empty-with-block-num-set-minusone", "needs block 53"],
  ["overwrite-existing-contract", "needs the chain's contracts"],
]);

/** Hashes of the vectors' blocks by number. */
function readHashes(): readonly Hash[] {
  // The file is a sequence of blocks.
  const decoded = decodeRlpWith(encodeRlpListOfEncoded([readChain()]), (chain) =>
    readRlpList(chain, "chain").map((block) => must(readRlpList(block, "block")[0], "a block has a header")),
  );
  assert.ok(decoded.ok);
  const [parentOfFirst] = readRlpList(must(decoded.value[0], "there is a block"), "header");
  return [
    Hash(readRlpBytes(must(parentOfFirst, "a header names its parent"), "parent")),
    ...decoded.value.map((header) => keccak256(encodeRlp(header))),
  ];
}

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
  const state = MemoryState.of(ACCOUNTS);
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
  const hashes = readHashes();
  const traced = {
    rules,
    modules: undefined,
    epochs: undefined,
    reads: chain,
    blockHash: (number: bigint) => hashes[Number(number)],
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
