import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Bytes,
  EMPTY_BYTES,
  type Hash,
  hashFromWord,
  hex,
  toHex,
  toHexDigits,
  unwrap,
} from "@ostrom/base";
import { bls, keccak256, SCHEME_ML_DSA_44, signatureEngine } from "@ostrom/crypto";
import { type Abi, encodeFunctionData, parseAbi } from "viem";
import { type BuiltContract, buildCheckpointContracts } from "../../languages/solidity/build.ts";
import {
  CHECKPOINT_KEY_CONTEXT,
  CHECKPOINT_KEYS_ADDRESS,
  consensusRegistrationMessage,
  provedName,
  readCheckpointKeys,
  readCheckpointRegistration,
  registrationDigest,
  verifyConsensusSignature,
} from "./checkpoint-keys.ts";
import { CHECKPOINT_KEYS_CODE } from "./checkpoint-keys-code.ts";
import { type Genesis, genesisHash } from "./genesis.ts";
import { hasCheckpoints } from "./genesis-checkpoints.ts";
import { formatGenesis } from "./genesis-format.ts";
import { parseGenesis } from "./genesis-json.ts";
import { createGenesis } from "./genesis-profiles.ts";
import { SUITES } from "./genesis-suites.ts";
import { heldKey } from "./testing/key-chain.ts";
import { testKey } from "./testing/random-transactions.ts";
import { funded, TEST_CHAIN_ID, TestChain, testGenesis, testValidator } from "./testing/test-chain.ts";
import { signTransaction } from "./transaction.ts";
import type { Receipt } from "./types.ts";

const ABI: Abi = parseAbi([
  "function register(bytes32 consensusKeyHash, bytes checkpointKey, bytes consensusProof, bytes possession, bytes currentKey, bytes approval)",
]);
const VALIDATORS = 3;
const OUTSIDER = 7;
const key = (seed: number): { readonly publicKey: Bytes; readonly secretKey: Bytes } =>
  heldKey(SCHEME_ML_DSA_44, seed);
const hashOf = (seed: number): Hash => keccak256(key(seed).publicKey);
const consensusSecret = (index: number): Bytes => hashFromWord(1_000n + BigInt(index));
const consensusHash = (index: number): Hash => keccak256(testValidator(index).consensusKey);

function genesisOf(seeds: readonly number[] | null): Genesis {
  const accounts = [...[0, 1, 2].map((index) => testValidator(index).address), senderAddress()].map(
    (address) => funded(address),
  );
  const made = testGenesis({ accounts, validators: VALIDATORS });
  return seeds === null ? made : { ...made, checkpointKeys: seeds.map(hashOf) };
}

function senderAddress(): ReturnType<typeof testValidator>["address"] {
  return testValidator(OUTSIDER).address;
}

type Registration = {
  /** Whose account sends it, and for whose consensus key. */
  readonly from: number;
  readonly validator?: number;
  readonly seed: number;
  /** Who signs in place of the right ones. */
  readonly consensusSigner?: number;
  readonly possessionSeed?: number;
  readonly current?: number;
  readonly chainId?: bigint;
  readonly longer?: "key" | "proof";
};

class CheckpointChain {
  readonly chain: TestChain;
  #nonces = new Map<number, bigint>();

  constructor(seeds: readonly number[] | null = [1, 2, 3]) {
    this.chain = new TestChain(genesisOf(seeds));
  }

  data({ from, validator = from, seed, current, longer, ...other }: Registration): Bytes {
    const account = testValidator(from).address;
    const sequence = readCheckpointRegistration(this.chain.state, consensusHash(validator), account);
    const digest = registrationDigest(
      other.chainId ?? TEST_CHAIN_ID,
      account,
      consensusHash(validator),
      hashOf(seed),
      (sequence?.sequence ?? 0n) + 1n,
    );
    const sign = (signer: number): Bytes =>
      signatureEngine(SCHEME_ML_DSA_44)!.sign(key(signer).secretKey, digest, CHECKPOINT_KEY_CONTEXT);
    const proof = bls().sign(
      consensusSecret(other.consensusSigner ?? validator),
      consensusRegistrationMessage(digest),
    );
    const extra = (bytes: Bytes, is: boolean): string => `${toHex(bytes)}${is ? "00" : ""}`;
    const args = [
      toHex(consensusHash(validator)),
      extra(key(seed).publicKey, longer === "key"),
      extra(proof, longer === "proof"),
      toHex(sign(other.possessionSeed ?? seed)),
      toHex(current === undefined ? EMPTY_BYTES : key(current).publicKey),
      toHex(current === undefined ? EMPTY_BYTES : sign(current)),
    ];
    return hex(encodeFunctionData({ abi: ABI, functionName: "register", args }));
  }

  send(from: number, data: Bytes): Receipt {
    const nonce = this.#nonces.get(from) ?? 0n;
    this.#nonces.set(from, nonce + 1n);
    const fields = { chainId: TEST_CHAIN_ID, nonce, gasLimit: 2_000_000n, maxFeePerGas: 10n ** 12n };
    const to = { ...fields, to: CHECKPOINT_KEYS_ADDRESS, data };
    const { receipts } = this.chain.execute([signTransaction(to, testKey(900 + from)).raw]);
    assert.ok(receipts[0] !== undefined, "it is in the block");
    return receipts[0];
  }

  register(registration: Registration): boolean {
    return this.send(registration.from, this.data(registration)).succeeded;
  }

  /** Seeds of the keys that count. */
  keys(proved: ReadonlySet<string> = new Set()): readonly (number | undefined)[] {
    const { state, genesis } = this.chain;
    const found = readCheckpointKeys(
      state,
      TEST_CHAIN_ID,
      genesis.validatorSet,
      proved,
      verifyConsensusSignature,
    );
    const seeds = new Map([1, 2, 3, 4, 5, 6].map((seed) => [toHexDigits(hashOf(seed)), seed]));
    return found.map((hash) => (hash === undefined ? undefined : seeds.get(toHexDigits(hash))));
  }
}

test("the code in genesis is what the Solidity source compiles to (else run languages/solidity/build.ts)", () => {
  const built: readonly BuiltContract[] = buildCheckpointContracts();
  assert.deepEqual(
    built.map(({ name }) => name),
    ["CheckpointKeys"],
  );
  assert.equal(toHexDigits(CHECKPOINT_KEYS_CODE), built[0]!.code);
});

test("genesis names a key for each validator; what an older genesis means stays what it was", () => {
  const chain = new CheckpointChain();
  assert.deepEqual(chain.keys(), [1, 2, 3]);
  const withKeys = genesisOf([1, 2, 3]);
  assert.deepEqual(unwrap(parseGenesis(formatGenesis(withKeys))).checkpointKeys, withKeys.checkpointKeys);
  const without = genesisOf(null);
  const json = formatGenesis(without);
  assert.ok(!Object.hasOwn(json, "checkpointKeys"));
  assert.equal(unwrap(parseGenesis(json)).checkpointKeys, undefined);
  assert.notDeepEqual(genesisHash(without), genesisHash(withKeys), "it is part of what names the chain");
  assert.deepEqual(new CheckpointChain(null).keys(), [undefined, undefined, undefined]);
});

test("a genesis is refused whose keys are too few, twice the same, or of a chain that can have none", () => {
  const json = formatGenesis(genesisOf([1, 2, 3]));
  const code = (changed: object): string => {
    const parsed = parseGenesis({ ...json, ...changed });
    return parsed.ok ? "" : parsed.error.code;
  };
  const [first, second] = json.checkpointKeys!;
  assert.equal(code({ checkpointKeys: [first, second] }), "genesis/inconsistent");
  assert.equal(code({ checkpointKeys: [first, second, first] }), "genesis/duplicate");
  assert.equal(code({ checkpointKeys: [first, second, `${first}00`] }), "genesis/out-of-range");
  assert.equal(code({ keys: null }), "genesis/inconsistent", "contracts could not verify ML-DSA");
  const request = {
    profile: "alliance",
    chainId: 1n,
    timestampMs: 0,
    validators: [],
    accounts: [],
    checkpointKeys: [],
  } as const;
  const postQuantum = formatGenesis(createGenesis({ ...request, suite: SUITES["post-quantum"] }));
  const parsed = parseGenesis(postQuantum);
  assert.ok(!parsed.ok);
  const chain = { suite: SUITES.ethereum, hasKeySets: true, isMined: false };
  assert.ok(hasCheckpoints(chain));
  assert.ok(!hasCheckpoints({ ...chain, isMined: true }), "miners have no votes");
});

test("a validator replaces its key by the signature of the one before, and by nothing else", () => {
  const chain = new CheckpointChain();
  assert.equal(chain.register({ from: 0, seed: 4 }), false, "nothing of genesis' key");
  assert.equal(chain.register({ from: 0, seed: 4, current: 5 }), false, "a key that is not the present one");
  assert.ok(chain.register({ from: 0, seed: 4, current: 1 }));
  assert.deepEqual(chain.keys(), [4, 2, 3]);
  const gas = chain.send(0, chain.data({ from: 0, seed: 5, current: 4 })).gasUsed;
  assert.ok(gas < 400_000n, `${gas}`);
  assert.deepEqual(chain.keys(), [5, 2, 3]);
  assert.equal(chain.register({ from: 0, seed: 4, current: 1 }), false, "genesis' key is over");
});

test("a registration that was sent before cannot be sent again, and one for another chain not at all", () => {
  const chain = new CheckpointChain();
  const first = chain.data({ from: 0, seed: 4, current: 1 });
  assert.ok(chain.send(0, first).succeeded);
  assert.ok(chain.register({ from: 0, seed: 1, current: 4 }));
  assert.equal(chain.send(0, first).succeeded, false, "the sequence has gone on");
  assert.equal(chain.register({ from: 0, seed: 5, current: 1, chainId: 1n }), false);
  assert.deepEqual(chain.keys(), [1, 2, 3]);
});

test("nobody registers a key for another one's validator, takes another's key, or holds a place up", () => {
  const chain = new CheckpointChain([1, 2, 3]);
  assert.equal(chain.register({ from: 1, validator: 0, seed: 4 }), false, "genesis' key must approve");
  const bare = new CheckpointChain(null);
  const { chain: inner } = bare;
  inner.state.commit({
    codes: new Map([[toHexDigits(keccak256(CHECKPOINT_KEYS_CODE)), CHECKPOINT_KEYS_CODE]]),
    accounts: new Map([
      [
        toHexDigits(CHECKPOINT_KEYS_ADDRESS),
        {
          address: CHECKPOINT_KEYS_ADDRESS,
          account: { nonce: 1n, balance: 0n, codeHash: keccak256(CHECKPOINT_KEYS_CODE) },
          storageCleared: false,
          storage: [],
        },
      ],
    ]),
  });
  assert.ok(bare.register({ from: 1, validator: 0, seed: 4 }), "it may write, in a place of its own");
  assert.deepEqual(bare.keys(), [undefined, undefined, undefined], "which nobody reads");
  assert.ok(bare.register({ from: 0, seed: 5, consensusSigner: 1 }), "the contract cannot tell");
  assert.deepEqual(bare.keys(), [undefined, undefined, undefined], "the consensus key has not signed it");
  const unproved = new Set([provedName(consensusHash(0), hashOf(5))]);
  assert.deepEqual(
    bare.keys(unproved),
    [5, undefined, undefined],
    "what was proved before is not asked again",
  );
  assert.equal(bare.register({ from: 2, seed: 6, possessionSeed: 4 }), false, "another one's key");
  assert.ok(bare.register({ from: 2, seed: 6 }));
  assert.ok(bare.register({ from: 1, seed: 6 }), "one key for two of its own");
  assert.deepEqual(bare.keys(), [undefined, 6, undefined], "counts once");
});

test("over-long keys and proofs are refused", () => {
  const chain = new CheckpointChain();
  assert.equal(chain.register({ from: 0, seed: 4, current: 1, longer: "key" }), false);
  assert.equal(chain.register({ from: 0, seed: 4, current: 1, longer: "proof" }), false);
  assert.deepEqual(chain.keys(), [1, 2, 3]);
});

test("validators who vote by ML-DSA certify checkpoints by the keys that they vote with", () => {
  const consensusKeys = [1, 2].map((seed) => key(seed).publicKey);
  const validators = consensusKeys.map((consensusKey, index) => ({ ...testValidator(index), consensusKey }));
  const set = { schemeId: SCHEME_ML_DSA_44, validators };
  const state = { storage: () => 0n };
  const found = readCheckpointKeys(state, TEST_CHAIN_ID, set, new Set(), verifyConsensusSignature);
  assert.deepEqual(found, [hashOf(1), hashOf(2)]);
});
