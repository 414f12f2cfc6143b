import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addressFromHex,
  EMPTY_BYTES,
  Hash,
  hashFromWord,
  toHex,
  unwrap,
  Weight,
  ZERO_HASH,
} from "@ostrom/base";
import { HASH_SM3, keccak256, SIGNATURE_SCHEMES, sm3, validatorScheme } from "@ostrom/crypto";
import {
  emptyTrieRoot,
  type GenesisAccount,
  MemoryState,
  proveAccount,
  verifyAccountProof,
} from "@ostrom/state";
import type { ModulePrecompile } from "./chain-module.ts";
import { type Genesis, genesisBlock, genesisHash, genesisState } from "./genesis.ts";
import { formatGenesis } from "./genesis-format.ts";
import { parseGenesis } from "./genesis-json.ts";
import { createGenesis } from "./genesis-profiles.ts";
import {
  ACCOUNT_SCHEMES,
  type CryptographicSuite,
  consensusSchemeOf,
  formatSuite,
  parseSuite,
  rulesOfSuite,
  SUITE_NAMES,
  SUITES,
  transportSchemeOf,
} from "./genesis-suites.ts";
import { encodeHeader, hashHeader } from "./header.ts";
import { defineModule, genesisModule } from "./installed-modules.ts";
import { ECVRF_VERIFY_ADDRESS, SORTITION_MODULE } from "./module-addresses.ts";
import { type ModulePlan, plannedPrecompiles } from "./module-plan.ts";
import { addressOfSecretKey } from "./signature.ts";
import { testKey } from "./testing/random-transactions.ts";
import { funded, GENESIS_TIME_MS, TestChain, testValidator } from "./testing/test-chain.ts";
import { signTransaction } from "./transaction.ts";
import type { Validator } from "./validator-set.ts";

const RICH = addressFromHex("00000000000000000000000000000000000000aa");

function validatorOf(suite: CryptographicSuite, index: number): Validator {
  const scheme = consensusSchemeOf(suite);
  const secret = hashFromWord(5_000n + BigInt(index));
  return {
    name: `validator-${index}`,
    address: RICH,
    weight: Weight(1),
    consensusKey: scheme.publicKey(secret),
    proofOfPossession: scheme.provePossession(secret),
    transportKey: new Uint8Array(transportSchemeOf(suite).publicKeyLength).fill(index + 1),
    host: "127.0.0.1",
    port: 30_000 + index,
  };
}

function genesisOf(suite: CryptographicSuite, accounts: readonly GenesisAccount[] = [funded(RICH)]): Genesis {
  return createGenesis({
    profile: "dev",
    chainId: 7n,
    timestampMs: GENESIS_TIME_MS,
    suite,
    validators: [0, 1].map((index) => validatorOf(suite, index)),
    accounts,
  });
}

test("a genesis of each suite survives being written and read, and names the suite's schemes", () => {
  for (const name of SUITE_NAMES) {
    const genesis = genesisOf(SUITES[name]);
    const read = unwrap(parseGenesis(JSON.parse(JSON.stringify(formatGenesis(genesis)))));
    assert.deepEqual(read.suite, SUITES[name], name);
    assert.deepEqual(read.rules, genesis.rules, name);
    assert.equal(read.validatorSet.schemeId, consensusSchemeOf(SUITES[name]).id, name);
    assert.deepEqual(genesisHash(read), genesisHash(genesis), name);
  }
});

test("a suite without `accounts` admits what `ethereum` admits, and is written as it was before there was a choice", () => {
  const written = { hash: "keccak256", consensus: "bls12-381", transport: "ed25519" };
  assert.deepEqual(unwrap(parseSuite(written)), SUITES.ethereum);
  assert.deepEqual(formatSuite(SUITES.ethereum), written);
});

test("the default list is all that is in the registry and signs transactions, without what is experimental", () => {
  const expected = SIGNATURE_SCHEMES.filter(({ isExperimental }) => !isExperimental).map(({ name }) => name);
  const accounts = SUITES.ethereum.accounts as readonly string[];
  assert.deepEqual(
    accounts,
    expected.filter((name) => ACCOUNT_SCHEMES.some((one) => one === name)),
  );
  assert.equal(accounts[0], "secp256k1");
});

test("wrong suites are told with code and place", () => {
  const wrong: readonly (readonly [change: Readonly<Record<string, unknown>>, code: string, path: string])[] =
    [
      [{ hash: "sha256" }, "genesis/unsupported", "suite.hash"],
      [{ consensus: "secp256k1" }, "genesis/unsupported", "suite.consensus"],
      [{ transport: "ml-dsa-65" }, "genesis/unsupported", "suite.transport"],
      [{ accounts: [] }, "genesis/inconsistent", "suite.accounts"],
      [{ accounts: "sm2" }, "genesis/wrong-type", "suite.accounts"],
      [{ accounts: ["sm2", "sm2"] }, "genesis/duplicate", "suite.accounts[1]"],
      [{ accounts: ["bls12-381"] }, "genesis/unsupported", "suite.accounts[0]"],
      [{ cipher: "sm4" }, "genesis/unknown-key", "suite.cipher"],
    ];
  for (const [change, code, path] of wrong) {
    const parsed = parseSuite({ ...SUITES.sm, ...change });
    assert.ok(!parsed.ok, path);
    assert.deepEqual([parsed.error.code, parsed.error.path], [code, path]);
  }
});

test("keys and proofs of validators are of the suite's schemes: another's lengths, and another's proof, are refused", () => {
  const json = JSON.parse(JSON.stringify(formatGenesis(genesisOf(SUITES.sm)))) as {
    validators: { consensusKey: string; proofOfPossession: string; transportKey: string }[];
  };
  const failure = (change: (changed: typeof json) => void): string => {
    const changed = structuredClone(json);
    change(changed);
    const parsed = parseGenesis(changed);
    return parsed.ok ? "admitted" : `${parsed.error.code} ${parsed.error.path}`;
  };
  const ethereum = testValidator(0);
  assert.equal(
    failure(({ validators }) => (validators[0]!.consensusKey = toHex(ethereum.consensusKey))),
    "genesis/out-of-range validators[0].consensusKey",
  );
  assert.equal(
    failure(({ validators }) => (validators[0]!.transportKey = toHex(ethereum.transportKey))),
    "genesis/out-of-range validators[0].transportKey",
  );
  assert.equal(
    failure(({ validators }) => (validators[0]!.proofOfPossession = validators[1]!.proofOfPossession)),
    "genesis/bad-proof-of-possession validators[0].proofOfPossession",
  );
});

test("a chain of suite ethereum has the hashes that it had before there were suites", () => {
  const genesis = createGenesis({
    profile: "dev",
    chainId: 1337n,
    timestampMs: GENESIS_TIME_MS,
    validators: [0, 1, 2].map(testValidator),
    accounts: [funded(RICH)],
    keys: null,
  });
  assert.equal(
    toHex(genesisHash(genesis)),
    "0x5d2697db571123b77b780524a37df66487567c6bdf44b98b2124c4dc6854bf94",
  );
  const chain = new TestChain(genesis);
  assert.equal(
    toHex(chain.execute([]).hash),
    "0xa5226d3c23156ff4263fbd218fb818c2632c621a056938d36bc65372a6c1cf69",
  );
});

test("on a chain of suite sm, SM3 hashes the header, tries and keys; block hashes and proofs verify by it, and by nothing else", () => {
  const genesis = genesisOf(SUITES.sm);
  const hash = (bytes: Uint8Array): Hash => Hash(sm3(bytes));
  const state = new MemoryState(sm3);
  state.commit(genesisState(genesis));
  const block = genesisBlock(genesis, state.stateRoot);
  assert.deepEqual(block.hash, hash(encodeHeader(block.header)));
  assert.deepEqual(block.hash, hashHeader(block.header, HASH_SM3));
  assert.deepEqual(block.hash, genesisHash(genesis));
  assert.deepEqual(block.header.transactionsRoot, emptyTrieRoot(sm3));
  assert.deepEqual(block.header.withdrawalsRoot, hash(Uint8Array.of(0x80)));
  const { accountProof } = proveAccount(state, RICH, [], sm3);
  assert.deepEqual(unwrap(verifyAccountProof(state.stateRoot, RICH, accountProof, sm3)), state.account(RICH));
  const foreign = verifyAccountProof(state.stateRoot, RICH, accountProof, keccak256);
  assert.equal(foreign.ok ? "ok" : foreign.error.code, "proof/wrong-hash");
});

test("blocks of suite sm follow each other by SM3 hashes", () => {
  const chain = new TestChain(genesisOf(SUITES.sm));
  const [first, second] = [chain.execute([]), chain.execute([])];
  assert.deepEqual(first.header.parentHash, chain.blocks[0]!.hash);
  assert.deepEqual(second.header.parentHash, Hash(sm3(encodeHeader(first.header))));
  assert.deepEqual(first.header.receiptsRoot, emptyTrieRoot(sm3));
});

test("each consensus scheme of a suite is one that validators vote with", () => {
  for (const name of SUITE_NAMES) {
    const { id } = consensusSchemeOf(SUITES[name]);
    assert.equal(validatorScheme(id)?.name, SUITES[name].consensus);
  }
});

test("an algorithm that genesis leaves out is refused: execution skips what secp256k1 has signed on a chain of SM2 alone", () => {
  const key = testKey(1);
  const sender = addressOfSecretKey(key);
  const fields = { chainId: 7n, gasLimit: 21_000n, maxFeePerGas: 10n ** 12n, to: RICH, value: 1n } as const;
  const outcome = (accounts: CryptographicSuite["accounts"]): string => {
    const suite = { ...SUITES.sm, accounts };
    const chain = new TestChain({ ...genesisOf(suite, [funded(sender)]) });
    const types = [0, 1, 2].map((type) =>
      signTransaction({ ...fields, type: type as 0 | 1 | 2, nonce: BigInt(type) }, key),
    );
    const { transactions, skipped } = chain.execute(types.map(({ raw }) => raw));
    const codes = skipped.map(({ reason }) => `${reason.code} ${reason.message.split(":")[0]}`);
    return [transactions.length, ...new Set(codes)].join(" ");
  };
  assert.equal(outcome(["sm2", "secp256k1"]), "3");
  assert.equal(outcome(["sm2"]), "0 execution/invalid transaction/algorithm-not-allowed");
});

test("a post-quantum chain lets no elliptic curve draw its validators: genesis refuses the module, and ECVRF verifies nothing", () => {
  const vrf: ModulePrecompile = { address: ECVRF_VERIFY_ADDRESS, gas: () => 10n, run: (input) => input };
  const staking = defineModule({ name: SORTITION_MODULE, version: 1, contracts: [], precompiles: [vrf] });
  const modules = { authority: undefined, active: [genesisModule(staking, EMPTY_BYTES)] };
  const verdict = (suite: CryptographicSuite): readonly string[] => {
    const json = JSON.parse(JSON.stringify(formatGenesis({ ...genesisOf(suite), modules })));
    const read = parseGenesis(json);
    return read.ok ? [] : [read.error.code, read.error.path];
  };
  assert.deepEqual(verdict(SUITES.ethereum), []);
  assert.deepEqual(verdict(SUITES["post-quantum"]), ["genesis/inconsistent", "modules"]);
  const activation = { name: staking.name, version: 1, codeHash: ZERO_HASH, height: 1, settingsSlot: 0n };
  const plan: ModulePlan = {
    height: 1,
    registry: undefined,
    active: [{ module: staking, activation }],
    missing: [],
  };
  const verifies = (suite: CryptographicSuite): boolean | undefined =>
    plannedPrecompiles("osaka", plan, rulesOfSuite(suite))?.call(ECVRF_VERIFY_ADDRESS, EMPTY_BYTES, 100n)?.ok;
  assert.deepEqual([verifies(SUITES.ethereum), verifies(SUITES["post-quantum"])], [true, false]);
});
