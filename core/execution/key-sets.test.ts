import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Address,
  addressFromHex,
  addressToWord,
  concatBytes,
  hex,
  toHex,
  wordToBytes,
  ZERO_HASH,
} from "@ostrom/base";
import { SCHEME_WEBAUTHN_P256 } from "@ostrom/crypto";
import type { GenesisAccount } from "@ostrom/state";
import { createContractEngine, delegationDesignator, installMessageEngine } from "@ostrom/vm";
import { addressOfKeys } from "./account-keys.ts";
import { KEYED_ACCOUNT_ADDRESS } from "./key-addresses.ts";
import { isKeyedAccount } from "./key-authority.ts";
import { readKeySet } from "./key-sets.ts";
import { signAuthorization, signHash } from "./signature.ts";
import {
  heldKey,
  KeyChain,
  type KeySetRequest,
  type Ran,
  type Signer,
  senderOf,
} from "./testing/key-chain.ts";
import {
  byKeys,
  edwards,
  elliptic,
  ethereum,
  HYBRID,
  lattice,
  NOT_AUTHORIZED,
  owner,
  refused,
  stranger,
  succeeded,
  TO,
} from "./testing/key-owner.ts";
import { contractAt, TEST_CHAIN_ID } from "./testing/test-chain.ts";

const passkey = heldKey(SCHEME_WEBAUTHN_P256, 4);

function newChain(...contracts: readonly GenesisAccount[]): KeyChain {
  return new KeyChain([owner, senderOf(stranger)], {}, {}, contracts);
}

function enrolled(request: KeySetRequest): KeyChain {
  const chain = newChain();
  assert.ok(succeeded(chain.enroll(ethereum, request)), "the set is enrolled");
  return chain;
}

test("an account that enrolls a hybrid set acts by both keys together, and by its own key alone no more", () => {
  const chain = newChain();
  assert.ok(succeeded(chain.send(ethereum, { to: TO, value: 1n })));
  assert.ok(succeeded(chain.enroll(ethereum, HYBRID)));
  assert.ok(isKeyedAccount(chain.code(owner)));
  assert.equal(refused(chain.send(ethereum, { to: TO, value: 1n })), NOT_AUTHORIZED);
  assert.ok(succeeded(chain.send(byKeys(1, [0, elliptic], [1, lattice]), { to: TO, value: 1n })));
  assert.equal(refused(chain.send(byKeys(1, [1, lattice]), { to: TO, value: 1n })), NOT_AUTHORIZED);
  assert.equal(refused(chain.send(byKeys(1, [0, elliptic]), { to: TO, value: 1n })), NOT_AUTHORIZED);
  assert.equal(chain.nonce(owner), 3n);
  assert.equal(chain.chain.state.account(TO)?.balance, 2n);
});

test("any type of Ethereum's is void from an account with such a set", () => {
  const chain = enrolled(HYBRID);
  const tuple = signAuthorization({ chainId: TEST_CHAIN_ID, address: TO, nonce: 2n }, elliptic.secretKey);
  for (const fields of [{ type: 0 }, { type: 1 }, { type: 2 }, { type: 4, authorizations: [tuple] }] as const)
    assert.equal(refused(chain.send(ethereum, { to: TO, ...fields })), NOT_AUTHORIZED);
});

test("policies: one of several, m of n, all; passkeys among them", () => {
  const keys = [edwards, lattice, passkey];
  for (const threshold of [1, 2, 3]) {
    const chain = enrolled({ threshold, keys });
    const signers = keys.map((key, index) => [index, key] as const);
    for (let count = 1; count <= 3; count++) {
      const ran = chain.send(byKeys(1, ...signers.slice(3 - count)), { to: TO, value: 1n });
      if (count >= threshold) assert.ok(succeeded(ran));
      else assert.equal(refused(ran), NOT_AUTHORIZED);
    }
  }
});

test("a set that accepts the account's own key alone leaves types 0 to 4 as they were", () => {
  const chain = enrolled({ threshold: 1, keys: [lattice, elliptic] });
  assert.equal(chain.code(owner).length, 0);
  assert.ok(succeeded(chain.send(ethereum, { to: TO, value: 1n })));
  assert.ok(succeeded(chain.send(byKeys(1, [0, lattice]), { to: TO, value: 1n })));
  assert.ok(succeeded(chain.send(byKeys(1, [1, elliptic]), { to: TO, value: 1n })));
});

test("enrolling ends another delegation, and later tuples of the account or to KeyedAccount are passed over", () => {
  const chain = newChain();
  const nonce = (address: Address): bigint => chain.nonce(address);
  const delegate = (address: Address, at: bigint): Parameters<KeyChain["send"]>[1] => ({
    type: 4,
    to: TO,
    authorizations: [signAuthorization({ chainId: TEST_CHAIN_ID, address, nonce: at }, elliptic.secretKey)],
  });
  assert.ok(succeeded(chain.send(stranger, delegate(TO, nonce(owner)))));
  assert.deepEqual(chain.code(owner), delegationDesignator(TO));
  assert.ok(succeeded(chain.send(stranger, delegate(KEYED_ACCOUNT_ADDRESS, nonce(owner)))));
  assert.deepEqual(chain.code(owner), delegationDesignator(TO), "nobody but KeySets makes an account keyed");
  assert.ok(succeeded(chain.enroll(ethereum, { threshold: 1, keys: [elliptic] })));
  assert.equal(chain.code(owner).length, 0);

  const other = enrolled(HYBRID);
  assert.ok(succeeded(other.send(stranger, delegate(TO, other.nonce(owner)))));
  assert.ok(isKeyedAccount(other.code(owner)));
  assert.equal(other.nonce(owner), 1n);
});

test("an account of inline keys enrolls, and acts by the set from then on", () => {
  const keys = [edwards, lattice];
  const sender = addressOfKeys(2, keys);
  const chain = new KeyChain([sender]);
  const inline: Signer = { kind: "inline", sender, threshold: 2, keys };
  assert.ok(succeeded(chain.enroll(inline, { threshold: 1, keys: [lattice] })));
  assert.equal(refused(chain.send(inline, { to: TO })), NOT_AUTHORIZED);
  assert.ok(succeeded(chain.send({ kind: "keys", sender, version: 1, keys: [[0, lattice]] }, { to: TO })));
  assert.ok(readKeySet(chain.chain.state, sender, 1).isPostQuantum, "its post-quantum key has signed for it");
});

test("keys are replaced when the timelock has passed, and those replaced act no more", () => {
  const chain = enrolled({ threshold: 1, keys: [edwards], timelock: 100 });
  const old = byKeys(1, [0, edwards]);
  assert.ok(succeeded(chain.propose(old, { threshold: 1, keys: [lattice] })));
  assert.ok(succeeded(chain.send(old, { to: TO })), "until then the old ones act");
  const apply = (): Ran => chain.call(stranger, "applyProposal", [toHex(owner)]);
  chain.wait(98);
  assert.ok(!succeeded(apply()), "not a second sooner");
  chain.wait(1);
  assert.ok(succeeded(apply()));
  assert.equal(chain.record(owner).version, 2);
  assert.equal(refused(chain.send(old, { to: TO })), NOT_AUTHORIZED);
  assert.equal(refused(chain.send(byKeys(2, [0, edwards]), { to: TO })), NOT_AUTHORIZED);
  assert.ok(succeeded(chain.send(byKeys(2, [0, lattice]), { to: TO })));
});

test("every tier of the engine comes to the same keys, guards and answers of ECRECOVER", (context) => {
  context.after(() => installMessageEngine());
  const asking = addressFromHex("00000000000000000000000000000000000f00d7");
  // Stores in slot 0 whom ECRECOVER names for its input.
  const code = hex("60805f5f3760205f60805f60015afa505f515f5500");
  const { r, s, yParity } = signHash(ZERO_HASH, elliptic.secretKey);
  const data = concatBytes(ZERO_HASH, wordToBytes(27n + BigInt(yParity)), wordToBytes(r), wordToBytes(s));
  const hashes = (["reference", "tier0", "tier1", "mixed"] as const).map((tiers) => {
    installMessageEngine(createContractEngine({ tiers }).execute);
    const chain = newChain(contractAt(asking, code));
    const ask = (): bigint => {
      assert.ok(succeeded(chain.send(stranger, { to: asking, data })));
      return chain.chain.state.storage(asking, 0n);
    };
    assert.equal(ask(), addressToWord(owner));
    // Some engines' lattice signatures differ each time, and so would the blocks.
    assert.ok(succeeded(chain.enroll(ethereum, { threshold: 1, keys: [edwards] })));
    // What it returns lies over the hash that it was asked about, which is 0 and stays.
    assert.equal(ask(), 0n);
    return toHex(chain.chain.head.hash);
  });
  assert.equal(new Set(hashes).size, 1);
});
