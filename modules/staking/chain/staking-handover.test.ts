import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, concatBytes, fromHex, hashFromWord, must, toHex, unwrap, utf8 } from "@ostrom/base";
import { bls, ecvrf, keccak256 } from "@ostrom/crypto";
import {
  addressOfSecretKey,
  genesisHash,
  readValidatorSet,
  readValidatorSetsPort,
  STAKING_ADDRESS,
  signTransaction,
} from "@ostrom/execution";
import { encodeFunctionData } from "viem";
import type { ContractChain } from "../../../core/execution/testing/contract-chain.ts";
import { AUTHORITY, moduleChain, nameWord, schedule } from "../../../core/execution/testing/module-chain.ts";
import { testKey } from "../../../core/execution/testing/random-transactions.ts";
import { funded, TEST_CHAIN_ID } from "../../../core/execution/testing/test-chain.ts";
import { installNativeCrypto } from "../../../node/runtime/native-crypto.ts";
import { consentMessage } from "./possession-precompile.ts";
import { encodeStakingSettings } from "./settings.ts";
import { sortitionInput } from "./sortition.ts";
import { stakingV1 } from "./staking-module.ts";
import { readStakers, readStakingState } from "./staking-views.ts";
import { ABI, COIN, TEST_SETTINGS } from "./testing/staking-chain.ts";

installNativeCrypto();

const LENGTH = 16;
const LEAD = 4;
const ACTIVATION = 12;
const FROM_EPOCH = 2;
const STRANGERS = [0, 1, 2].map((index) => {
  const consensus = keccak256(utf8(`stranger's consensus ${index}`)).slice();
  // Below the order of the group.
  consensus[0] = 1;
  return {
    account: testKey(700 + index),
    consensus,
    vrf: keccak256(utf8(`stranger's vrf ${index}`)),
    nonce: 0n,
  };
});
type Stranger = (typeof STRANGERS)[number];

function call(who: Stranger, functionName: string, args: readonly unknown[], value = 0n): Bytes {
  const data = unwrap(fromHex(encodeFunctionData({ abi: ABI, functionName, args })));
  const fields = {
    chainId: TEST_CHAIN_ID,
    nonce: who.nonce++,
    gasLimit: 3_000_000n,
    maxFeePerGas: 10n ** 12n,
    to: STAKING_ADDRESS,
    data,
    value,
  };
  return signTransaction(fields, who.account).raw;
}

function registration({ account, consensus, vrf }: Stranger, consentOf = account): Record<string, unknown> {
  return {
    consensusKey: toHex(bls().publicKey(consensus)),
    proofOfPossession: toHex(bls().provePossession(consensus)),
    transportKey: toHex(keccak256(consensus)),
    vrfKey: toHex(ecvrf().publicKey(vrf)),
    consent: toHex(bls().sign(consensus, consentMessage(TEST_CHAIN_ID, addressOfSecretKey(consentOf)))),
    name: "stranger",
    host: "192.0.2.1",
    port: 30_303,
    commission: 1000,
  };
}

function succeeded(chain: ContractChain, transactions: readonly Bytes[]): readonly boolean[] {
  return chain.execute(transactions).receipts.map((receipt) => receipt.succeeded);
}

function reveal(chain: ContractChain, who: Stranger, id: number): Bytes {
  const { round, seed } = must(readStakingState(chain.state), "staking is active");
  const input = sortitionInput(TEST_CHAIN_ID, round + 1, seed);
  return call(who, "reveal", [BigInt(id), toHex(ecvrf().prove(who.vrf, input))]);
}

const names = (chain: ContractChain): readonly string[] =>
  unwrap(readValidatorSet(chain.state)).validators.map(({ name }) => name);
const holder = (chain: ContractChain): string | undefined => readValidatorSetsPort(chain.state).holder;

test("a chain of members goes public: strangers bond, the handover waits until staking has a set, nothing else changes", () => {
  const chain = moduleChain({
    has: [stakingV1],
    accounts: STRANGERS.map(({ account }) => funded(addressOfSecretKey(account))),
    epochLength: LENGTH,
    epochLead: LEAD,
    validators: 2,
    verifyPossession: (key, proof) => bls().verifyPossession(key, proof),
  });
  const settings = { ...TEST_SETTINGS, minValidators: 3, genesisHash: genesisHash(chain.genesis) };
  schedule(chain, stakingV1, ACTIVATION, encodeStakingSettings(settings));
  assert.equal(readStakingState(chain.state), undefined);
  chain.advance(ACTIVATION);
  assert.equal(must(readStakingState(chain.state), "staking is active").epoch, 0);
  assert.equal(chain.send(AUTHORITY, "handOver", [nameWord("staking"), FROM_EPOCH]), "done");

  const [first, second, third] = STRANGERS as [Stranger, Stranger, Stranger];
  const theft = { ...registration(first), transportKey: toHex(hashFromWord(1n)) };
  assert.deepEqual(
    succeeded(chain, [
      // Who copies another's keys and proof has no consent of theirs.
      call(third, "register", [theft, 0n], 100n * COIN),
      call(first, "register", [registration(first), 0n], 100n * COIN),
      call(second, "register", [registration(second), 0n], 100n * COIN),
    ]),
    [false, true, true],
  );
  // Two are fewer than staking wants: the handover is due and waits.
  for (const epoch of [1, 2, 3, 4]) {
    chain.advance(epoch * LENGTH + 1);
    if (epoch >= 3)
      assert.deepEqual(succeeded(chain, [reveal(chain, first, 1), reveal(chain, second, 2)]), [true, true]);
    assert.equal(holder(chain), undefined);
    assert.deepEqual(names(chain), ["validator-0", "validator-1"]);
  }
  assert.deepEqual(succeeded(chain, [call(third, "register", [registration(third), 0n], 100n * COIN)]), [
    true,
  ]);
  // Its stake is in the snapshot of epoch 5, which the set of epoch 7 is drawn from.
  chain.advance(6 * LENGTH + 1);
  assert.equal(holder(chain), undefined);
  assert.deepEqual(
    succeeded(chain, [reveal(chain, first, 1), reveal(chain, second, 2), reveal(chain, third, 3)]),
    [true, true, true],
  );
  chain.advance(7 * LENGTH - LEAD);
  assert.equal(holder(chain), "staking");
  assert.deepEqual(names(chain), ["stranger", "stranger", "stranger"]);
  assert.equal(
    readStakingState(chain.state)?.current,
    undefined,
    "the epoch under way is still the members'",
  );
  chain.advance(7 * LENGTH + 1);
  assert.equal(readStakingState(chain.state)?.current?.members.length, 3);
  assert.deepEqual(
    readStakers(chain.state, 1, 3).map(({ bonded }) => bonded),
    [100n * COIN, 100n * COIN, 100n * COIN],
  );
  assert.equal(chain.state.account(STAKING_ADDRESS)?.balance, 300n * COIN);
});

test("a proof of the random function by another key, for another round or with one bit changed is refused", () => {
  const initial = STRANGERS.map(({ account, consensus, vrf }, index) => ({
    operator: addressOfSecretKey(account),
    stake: 100n * COIN,
    isGranted: index === 0,
    consensusKey: bls().publicKey(consensus),
    proofOfPossession: bls().provePossession(consensus),
    transportKey: keccak256(consensus),
    vrfKey: ecvrf().publicKey(vrf),
    name: `stranger-${index}`,
    host: "192.0.2.1",
    port: 30_303,
    commission: 0,
  }));
  const chain = moduleChain({
    active: [[stakingV1, encodeStakingSettings(TEST_SETTINGS, initial)]],
    accounts: STRANGERS.map(({ account }) => funded(addressOfSecretKey(account))),
    epochLength: LENGTH,
    epochLead: LEAD,
  });
  chain.execute([]);
  const state = must(readStakingState(chain.state), "staking is active from block 1");
  assert.equal(toHex(state.genesisHash), toHex(genesisHash(chain.genesis)));
  assert.equal(chain.state.account(STAKING_ADDRESS)?.balance, 300n * COIN);
  const [first, second] = STRANGERS as [Stranger, Stranger];
  for (const who of STRANGERS) who.nonce = 0n;
  const input = sortitionInput(TEST_CHAIN_ID, state.round + 1, state.seed);
  const proof = ecvrf().prove(first.vrf, input);
  const bent = proof.slice();
  bent[80]! ^= 1;
  const send = (bytes: Bytes): Bytes => call(second, "reveal", [1n, toHex(bytes)]);
  const wrong = [
    ecvrf().prove(second.vrf, input),
    ecvrf().prove(first.vrf, sortitionInput(TEST_CHAIN_ID, state.round + 2, state.seed)),
    ecvrf().prove(first.vrf, sortitionInput(TEST_CHAIN_ID + 1n, state.round + 1, state.seed)),
    bent,
    proof.subarray(1),
    concatBytes(proof, Uint8Array.of(0)),
  ];
  assert.deepEqual(
    succeeded(chain, wrong.map(send)),
    wrong.map(() => false),
  );
  assert.deepEqual(succeeded(chain, [send(proof), send(proof)]), [true, false]);
  assert.equal(
    toHex(readStakers(chain.state, 1, 1)[0]!.output),
    toHex(must(ecvrf().verify(ecvrf().publicKey(first.vrf), proof, input), "valid")),
  );
});
