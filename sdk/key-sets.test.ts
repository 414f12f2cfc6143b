import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFromHex, must, toHex } from "@ostrom/base";
import {
  SCHEME_ED25519,
  SCHEME_ML_DSA_44,
  SCHEME_P256,
  SCHEME_SECP256K1,
  SCHEME_WEBAUTHN_P256,
  signatureEngine,
  signatureScheme,
} from "@ostrom/crypto";
import { keyHash } from "@ostrom/execution";
import { encodeFunctionData, type Hex, hashMessage, parseAbi } from "viem";
import { type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import type { AccountSigner } from "./account-signer.ts";
import { type AgileAccount, toAgileAccount } from "./agile-account.ts";
import {
  applyCall,
  breakCall,
  cancellationCall,
  enrollmentCall,
  guardianCancellationCall,
  type KeyOwner,
  proposalCall,
  protectionCall,
  protectionChangeCall,
  type SignedPlan,
  signBreak,
} from "./key-set-changes.ts";
import { keySetReader, readAccountKeys, readBreakers, readTimelockMinimum } from "./key-sets.ts";
import { KeyedChain } from "./testing/keyed-chain.ts";

const TIMELOCK = 100;
const ALICE_SECRET: Hex = `0x${"a1".repeat(32)}`;
const alice: PrivateKeyAccount = privateKeyToAccount(ALICE_SECRET);
const bob = privateKeyToAccount(`0x${"b0".repeat(32)}`);
const aliceKey = signerOf(SCHEME_SECP256K1, 0xa1);
const breakers = [1, 2, 3].map((seed) => signerOf(SCHEME_ML_DSA_44, 100 + seed));
const ERC1271 = parseAbi(["function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)"]);
const VALID = "0x1626ba7e";

function signerOf(schemeId: number, seed: number): AccountSigner {
  const engine = must(signatureEngine(schemeId), "the scheme must sign");
  const secretKey = new Uint8Array(must(signatureScheme(schemeId), "it is known").secretKeyLength).fill(seed);
  return {
    schemeId,
    publicKey: engine.publicKey(secretKey),
    sign: async (message, context) => engine.sign(secretKey, message, context),
  };
}

function newChain(): KeyedChain {
  const keys = breakers.map(({ schemeId, publicKey }) => ({ schemeId, publicKey }));
  return new KeyedChain([alice.address, bob.address], {
    timelockMinimum: TIMELOCK,
    breakers: keys,
    breakThreshold: 2,
  });
}

function planOf(signers: readonly AccountSigner[], others: Partial<SignedPlan> = {}): SignedPlan {
  return { threshold: signers.length, signers, timelockSeconds: TIMELOCK, ...others };
}

const aliceOn = ({ chainId }: KeyedChain): KeyOwner => ({ chainId, account: alice.address });

function withKeys(chain: KeyedChain, ...signers: readonly AccountSigner[]): AgileAccount {
  const { chainId, call } = chain;
  return toAgileAccount({ address: alice.address, signers, keySet: keySetReader(call), chainId });
}

async function pays(chain: KeyedChain, account: AgileAccount | PrivateKeyAccount): Promise<string> {
  const { receipt, skipped } = await chain.send(account, { to: bob.address, value: 1n });
  return skipped ?? (receipt?.succeeded === true ? "paid" : "failed");
}

async function enroll(chain: KeyedChain, plan: SignedPlan): Promise<void> {
  assert.equal(await chain.change(alice, await enrollmentCall(aliceOn(chain), 1, plan)), true);
}

test("an Ethereum account enrolls a hybrid of its key and ML-DSA: both must sign from then on", async () => {
  const chain = newChain();
  const lattice = signerOf(SCHEME_ML_DSA_44, 1);
  assert.equal(await pays(chain, alice), "paid");
  await enroll(chain, planOf([aliceKey, lattice]));
  const keys = await readAccountKeys(chain.call, alice.address);
  assert.deepEqual(
    [keys.newestVersion, keys.governing?.version, keys.governing?.threshold, keys.governing?.timelockSeconds],
    [1, 1, 2, TIMELOCK],
  );
  assert.deepEqual(
    keys.governing?.keys.map(({ schemeId }) => schemeId),
    [SCHEME_SECP256K1, SCHEME_ML_DSA_44],
  );
  assert.equal(keys.governing?.isOpen, false);
  assert.equal(await pays(chain, withKeys(chain, lattice, aliceKey)), "paid");
  assert.equal(await pays(chain, alice), "execution/not-authorized");
});

test("a key that is given without its possession proved is not taken", async () => {
  const chain = newChain();
  const foreign = { ...signerOf(SCHEME_ED25519, 1), sign: signerOf(SCHEME_ED25519, 2).sign };
  const data = await enrollmentCall(aliceOn(chain), 1, planOf([aliceKey, foreign]));
  assert.equal(await chain.change(alice, data), false);
  const elsewhere = { ...aliceOn(chain), chainId: 1 };
  assert.equal(await chain.change(alice, await enrollmentCall(elsewhere, 1, planOf([aliceKey]))), false);
});

test("keys rotate when the timelock has passed, and not before; the address stays", async () => {
  const chain = newChain();
  const [old, next] = [signerOf(SCHEME_P256, 1), signerOf(SCHEME_WEBAUTHN_P256, 2)];
  await enroll(chain, planOf([old]));
  const data = await proposalCall(aliceOn(chain), 2, planOf([next]));
  assert.equal(await chain.change(withKeys(chain, old), data), true);
  const { proposal } = await readAccountKeys(chain.call, alice.address);
  assert.deepEqual([proposal?.number, proposal?.set.keys[0]?.schemeId], [1, SCHEME_WEBAUTHN_P256]);
  assert.equal(await chain.change(bob, applyCall(alice.address)), false, "too soon");
  assert.equal(await pays(chain, withKeys(chain, old)), "paid", "the old key acts until then");
  chain.wait(TIMELOCK);
  assert.equal(await chain.change(bob, applyCall(alice.address)), true, "anybody may");
  assert.equal(await pays(chain, withKeys(chain, next)), "paid");
  await assert.rejects(pays(chain, withKeys(chain, old)), { code: "agile/foreign-key" });
});

test("the account cancels its own proposal; its guardian cancels a thief's and blocks the next", async () => {
  const chain = newChain();
  const [key, guardian, thief] = [1, 2, 3].map((seed) => signerOf(SCHEME_ED25519, seed)) as [
    AccountSigner,
    AccountSigner,
    AccountSigner,
  ];
  await enroll(chain, planOf([key], { guardian }));
  const owner = aliceOn(chain);
  const account = withKeys(chain, key);
  assert.equal(await chain.change(account, await proposalCall(owner, 2, planOf([thief]))), true);
  assert.equal(await chain.change(account, cancellationCall()), true);
  assert.equal(await chain.change(account, await proposalCall(owner, 2, planOf([thief]))), true);
  const { proposal } = await readAccountKeys(chain.call, alice.address);
  assert.ok(proposal);
  assert.equal(await chain.change(bob, await guardianCancellationCall(owner, proposal, thief)), false);
  assert.equal(await chain.change(bob, await guardianCancellationCall(owner, proposal, guardian)), true);
  assert.equal(await chain.change(account, await proposalCall(owner, 2, planOf([thief]))), false, "blocked");
  const { proposalCount, blockedUntil } = await readAccountKeys(chain.call, alice.address);
  assert.ok(blockedUntil > 0);
  const approval = { guardian, proposal: proposalCount + 1 };
  const approved = await proposalCall(owner, 2, planOf([signerOf(SCHEME_P256, 9)]), approval);
  assert.equal(await chain.change(account, approved), true);
  assert.equal((await readAccountKeys(chain.call, alice.address)).proposal?.isApproved, true);
  assert.equal(
    await chain.change(account, cancellationCall()),
    false,
    "the guardian alone cancels what it approved",
  );
});

test("contracts ask a keyed account whether a message is its own (ERC-1271)", async () => {
  const chain = newChain();
  const lattice = signerOf(SCHEME_ML_DSA_44, 1);
  await enroll(chain, planOf([aliceKey, lattice]));
  const ask = async (signature: Hex, text = "hello"): Promise<string> => {
    const args = [hashMessage(text), signature] as const;
    const answer = await chain.call(alice.address, encodeFunctionData({ abi: ERC1271, args }));
    return answer.slice(0, VALID.length);
  };
  const signature = await withKeys(chain, aliceKey, lattice).signMessage({ message: "hello" });
  assert.equal(await ask(signature), VALID);
  assert.notEqual(await ask(signature, "goodbye"), VALID);
  const elsewhere = toAgileAccount({
    address: alice.address,
    signers: [aliceKey, lattice],
    keySet: keySetReader(chain.call),
    chainId: 1,
  });
  assert.notEqual(await ask(await elsewhere.signMessage({ message: "hello" })), VALID);
  await assert.rejects(toAgileAccount({ signers: [lattice] }).signMessage({ message: "hello" }), {
    code: "agile/unsupported",
  });
});

test("when elliptic curves are declared broken, the committed key acts for an Ethereum account, and its secp256k1 key no more", async () => {
  const chain = newChain();
  const [first, second] = [signerOf(SCHEME_ML_DSA_44, 1), signerOf(SCHEME_ML_DSA_44, 2)];
  assert.equal(await chain.change(alice, protectionCall(first)), true);
  const change = await protectionChangeCall(aliceOn(chain), 0, first, second);
  assert.equal(await chain.change(bob, change), true, "anybody sends the committed key's signature");
  const { commitment } = await readAccountKeys(chain.call, alice.address);
  assert.deepEqual([commitment?.hash, commitment?.changes], [toHex(keyHash(second)), 1]);
  const committed = toAgileAccount({
    address: alice.address,
    signers: [second],
    keySet: keySetReader(chain.call),
  });
  assert.equal(await pays(chain, committed), "execution/not-authorized", "not before the break");

  chain.wait(10);
  const since = Number(chain.chain.head.header.timestamp);
  const { threshold, keys } = await readBreakers(chain.call);
  assert.deepEqual([threshold, keys.length, await readTimelockMinimum(chain.call)], [2, 3, TIMELOCK]);
  const signed = await Promise.all(
    [2, 0].map(async (keyIndex) => ({
      keyIndex,
      signature: await signBreak(chain.chainId, since, must(breakers[keyIndex], "it is there")),
    })),
  );
  assert.equal(
    await chain.change(bob, breakCall(since, signed.slice(0, 1))),
    false,
    "one breaker is too few",
  );
  assert.equal(await chain.change(bob, breakCall(since, signed)), true);
  chain.wait(1);
  assert.equal((await readAccountKeys(chain.call, alice.address)).isBroken, true, "from the next block on");
  assert.equal(await pays(chain, alice), "execution/not-authorized");
  assert.equal(await pays(chain, committed), "paid");
  const old = toAgileAccount({ address: alice.address, signers: [first] });
  assert.equal(await pays(chain, old), "execution/not-authorized");
});

test("when elliptic curves are declared broken, a hybrid account goes on with its post-quantum key alone", async () => {
  const chain = newChain();
  const lattice = signerOf(SCHEME_ML_DSA_44, 1);
  await enroll(chain, planOf([aliceKey, lattice]));
  const since = Number(chain.chain.head.header.timestamp) + 1;
  chain.wait(10);
  const signatures = await Promise.all(
    [0, 1].map(async (keyIndex) => ({
      keyIndex,
      signature: await signBreak(chain.chainId, since, must(breakers[keyIndex], "it is there")),
    })),
  );
  assert.equal(await chain.change(bob, breakCall(since, signatures)), true);
  assert.equal(await pays(chain, withKeys(chain, aliceKey, lattice)), "paid");
  await assert.rejects(pays(chain, withKeys(chain, aliceKey)), { code: "agile/too-few-keys" });
});

test("addresses of accounts are read in any letters", async () => {
  const chain = newChain();
  const lower = toHex(addressFromHex(alice.address));
  assert.deepEqual(
    await readAccountKeys(chain.call, lower),
    await readAccountKeys(chain.call, alice.address),
  );
});
