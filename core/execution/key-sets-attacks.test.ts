import assert from "node:assert/strict";
import { test } from "node:test";
import { addressFromHex, type Bytes, concatBytes, EMPTY_BYTES, hex, toHex, utf8 } from "@ostrom/base";
import { keccak256, SCHEME_ED25519, SCHEME_ML_DSA_44, SCHEME_P256 } from "@ostrom/crypto";
import { type GenesisAccount, StateOverlay } from "@ostrom/state";
import type { BlockContext } from "@ostrom/vm";
import { KEY_SETS_ADDRESS } from "./key-addresses.ts";
import { isKeyedAccount } from "./key-authority.ts";
import { systemCall } from "./system-call.ts";
import {
  abiKey,
  abiSet,
  callData,
  digest,
  encodeAuthorizations,
  type HeldKey,
  hashOfSet,
  heldKey,
  KeyChain,
  type KeySetRequest,
  possessions,
  type Ran,
  senderOf,
  signForKeySets,
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
import { contractAt } from "./testing/test-chain.ts";

const guardian = heldKey(SCHEME_P256, 5);
const thief = heldKey(SCHEME_ED25519, 6);

function newChain(...contracts: readonly GenesisAccount[]): KeyChain {
  return new KeyChain([owner, senderOf(stranger)], {}, {}, contracts);
}

function enrolled(request: KeySetRequest): KeyChain {
  const chain = newChain();
  assert.ok(succeeded(chain.enroll(ethereum, request)), "the set is enrolled");
  return chain;
}

test("attack: a transaction signed for one version of the set is void under another, though the keys are the same", () => {
  const chain = enrolled({ threshold: 1, keys: [edwards], timelock: 10 });
  const early = chain.sign(byKeys(1, [0, edwards]), { to: TO, nonce: 3n });
  assert.ok(succeeded(chain.propose(byKeys(1, [0, edwards]), { threshold: 1, keys: [edwards, lattice] })));
  chain.wait(10);
  assert.ok(succeeded(chain.call(stranger, "applyProposal", [toHex(owner)])));
  assert.ok(succeeded(chain.send(byKeys(2, [0, edwards]), { to: TO })));
  assert.equal(refused(chain.run(early)), NOT_AUTHORIZED);
});

test("attack: a set cannot be emptied, made unreachable, or given keys that nobody holds", () => {
  const good: KeySetRequest = { threshold: 1, keys: [edwards] };
  const possession = possessions(owner, 1, good);
  const cases: readonly (readonly [string, unknown, unknown])[] = [
    ["no keys", { ...abiSet(good), keys: [] }, []],
    ["threshold 0", { ...abiSet(good), threshold: 0 }, possession],
    ["threshold above the keys", { ...abiSet(good), threshold: 2 }, possession],
    [
      "too many keys",
      { ...abiSet(good), keys: Array(9).fill(abiKey(edwards)) },
      Array(9).fill(possession[0]),
    ],
    ["no possession", abiSet(good), []],
    ["another's possession", abiSet(good), possessions(TO, 1, good)],
    ["another version's possession", abiSet(good), possessions(owner, 2, good)],
    ["a timelock below the chain's", { ...abiSet(good), timelock: 9 }, possession],
    ["a timelock without end", { ...abiSet(good), timelock: 2 ** 32 - 1 }, possession],
  ];
  for (const [what, set, signatures] of cases) {
    const chain = newChain();
    assert.ok(!succeeded(chain.call(ethereum, "enroll", [set, signatures])), what);
    assert.equal(chain.record(owner).version, 0, what);
    assert.ok(succeeded(chain.send(ethereum, { to: TO })), what);
  }
  const chain = newChain();
  assert.ok(
    !succeeded(chain.enroll(ethereum, { threshold: 2, keys: [edwards, edwards] })),
    "the same key twice",
  );
  const falcon = heldKey(10, 8);
  assert.ok(
    !succeeded(chain.enroll(ethereum, { threshold: 1, keys: [falcon] })),
    "an algorithm that genesis leaves out",
  );
  const unknown = { ...abiSet(good), keys: [{ schemeId: 200, publicKey: toHex(edwards.publicKey) }] };
  assert.ok(!succeeded(chain.call(ethereum, "enroll", [unknown, possession])), "an unknown algorithm");
});

test("attack: a key that reaches into its signature is not of its algorithm's length", () => {
  const chain = newChain();
  // The precompile would take the first 32 bytes as the key and the rest as the signature, were it asked.
  for (const cut of [1, 63]) {
    const message = (publicKey: Bytes): Bytes =>
      digest("ostrom/keyset/1", owner, 1, hashOfSet({ threshold: 1, keys: [{ ...edwards, publicKey }] }));
    const signature = signForKeySets(edwards, message(edwards.publicKey) as never);
    const publicKey = concatBytes(edwards.publicKey, signature.subarray(0, cut));
    const set = {
      ...abiSet({ threshold: 1, keys: [edwards] }),
      keys: [{ schemeId: edwards.schemeId, publicKey: toHex(publicKey) }],
    };
    assert.ok(!succeeded(chain.call(ethereum, "enroll", [set, [toHex(signature.subarray(cut))]])));
  }
});

test("attack: a thief who holds a key proposes; the guardian cancels, and lets the owner alone propose for one timelock", () => {
  const chain = enrolled({ threshold: 1, keys: [edwards], timelock: 100, guardian });
  const signer = byKeys(1, [0, edwards]);
  const stolen: KeySetRequest = { threshold: 1, keys: [thief] };
  assert.ok(succeeded(chain.propose(signer, stolen)));
  const cancellation = digest("ostrom/keyset-cancellation/1", owner, 1, hashOfSet(stolen));
  const cancel = (signature: Bytes): Ran =>
    chain.call(stranger, "cancelByGuardian", [toHex(owner), toHex(signature)]);
  assert.ok(
    !succeeded(cancel(signForKeySets(edwards, cancellation))),
    "the account's key is not the guardian's",
  );
  assert.ok(succeeded(cancel(signForKeySets(guardian, cancellation))));
  assert.ok(!succeeded(chain.propose(signer, stolen)), "blocked");

  const rescue: KeySetRequest = { threshold: 1, keys: [lattice], guardian };
  const approval = (proposal: number): Bytes =>
    signForKeySets(guardian, digest("ostrom/keyset-approval/1", owner, proposal, hashOfSet(rescue)));
  assert.ok(!succeeded(chain.propose(signer, rescue, approval(1))), "an approval is of one proposal");
  assert.ok(succeeded(chain.propose(signer, rescue, approval(2))));
  assert.ok(
    !succeeded(chain.call(signer, "cancel", [])),
    "the thief cannot cancel what the guardian approved",
  );
  assert.ok(!succeeded(cancel(signForKeySets(guardian, cancellation))), "a cancellation is of one proposal");
  chain.wait(100);
  assert.ok(succeeded(chain.call(stranger, "applyProposal", [toHex(owner)])));
  assert.equal(refused(chain.send(signer, { to: TO })), NOT_AUTHORIZED);
  assert.ok(succeeded(chain.send(byKeys(2, [0, lattice]), { to: TO })));
});

test("attack: rotation front-run within the timelock: a second proposal does not replace the first", () => {
  const chain = enrolled({ threshold: 1, keys: [edwards], timelock: 50 });
  const signer = byKeys(1, [0, edwards]);
  assert.ok(succeeded(chain.propose(signer, { threshold: 1, keys: [lattice] })));
  assert.ok(!succeeded(chain.propose(signer, { threshold: 1, keys: [thief] })));
  assert.ok(!succeeded(chain.enroll(signer, { threshold: 1, keys: [thief] })));
  assert.ok(succeeded(chain.call(signer, "cancel", [])));
  assert.ok(!succeeded(chain.call(signer, "cancel", [])));
  assert.ok(succeeded(chain.propose(signer, { threshold: 1, keys: [thief] })));
  chain.wait(50);
  assert.ok(succeeded(chain.call(signer, "cancel", [])), "until it is applied the owner cancels");
  assert.ok(!succeeded(chain.call(stranger, "applyProposal", [toHex(owner)])));
  assert.equal(chain.record(owner).version, 1);
});

test("without a guardian's block an owner without guardian proposes again at once, and an approval by nobody is refused", () => {
  const chain = enrolled({ threshold: 1, keys: [edwards], timelock: 50 });
  const signer = byKeys(1, [0, edwards]);
  const wrong = signForKeySets(
    guardian,
    digest("ostrom/keyset-approval/1", owner, 1, hashOfSet({ threshold: 1, keys: [lattice] })),
  );
  assert.ok(!succeeded(chain.propose(signer, { threshold: 1, keys: [lattice] }, wrong)));
  const nobody = digest(
    "ostrom/keyset-cancellation/1",
    owner,
    1,
    hashOfSet({ threshold: 1, keys: [lattice] }),
  );
  assert.ok(succeeded(chain.propose(signer, { threshold: 1, keys: [lattice] })));
  assert.ok(
    !succeeded(
      chain.call(stranger, "cancelByGuardian", [toHex(owner), toHex(signForKeySets(thief, nobody))]),
    ),
  );
});

/** Calls KeySets with its own input and returns whether that succeeded. */
function forwarder(operation: "call" | "delegatecall"): Bytes {
  const copy = "365f5f37";
  const operands = operation === "call" ? "5f5f365f5f" : "5f5f365f";
  const target = `73${toHex(KEY_SETS_ADDRESS).slice(2)}`;
  const code = operation === "call" ? "f1" : "f4";
  return hex(`${copy}${operands}${target}5a${code}5f5260205ff3`);
}

test("attack: neither a contract nor borrowed code of KeySets enrolls anybody, and a foreign log guards nobody", () => {
  const request: KeySetRequest = { threshold: 1, keys: [thief] };
  for (const operation of ["call", "delegatecall"] as const) {
    const relay = addressFromHex("00000000000000000000000000000000000f00d5");
    const chain = newChain(contractAt(relay, forwarder(operation)));
    const data = callData("enroll", [abiSet(request), possessions(owner, 1, request)]);
    const ran = chain.send(ethereum, { to: relay, data, gasLimit: 8_000_000n });
    assert.ok(succeeded(ran));
    assert.equal(chain.record(owner).version, 0, operation);
    assert.equal(chain.record(relay).version, 0, operation);
    assert.equal(chain.code(owner).length, 0, operation);
    assert.ok(succeeded(chain.send(ethereum, { to: TO })), operation);
  }
  // A contract that logs what KeySets would.
  const topic = toHex(keccak256(utf8("Guarded(address,bool)"))).slice(2);
  const logs = addressFromHex("00000000000000000000000000000000000f00d6");
  const code = hex(`60015f5273${toHex(owner).slice(2)}7f${topic}60205fa2`);
  const chain = newChain(contractAt(logs, code));
  assert.ok(succeeded(chain.send(stranger, { to: logs })));
  assert.equal(chain.code(owner).length, 0);
});

test("a keyed account receives whatever it is sent, and says by ERC-1271 what its keys have signed", () => {
  const chain = enrolled(HYBRID);
  assert.ok(succeeded(chain.send(stranger, { to: owner, value: 7n, data: utf8("a note") })));
  const hash = keccak256(utf8("an order"));
  const message = digest("ostrom/message/1", owner, 1, hash);
  const [first, second] = [elliptic, lattice].map((key, keyIndex) => ({
    keyIndex,
    signature: signForKeySets(key, message),
  })) as [{ keyIndex: number; signature: Bytes }, { keyIndex: number; signature: Bytes }];
  const ask = (entries: readonly { keyIndex: number; signature: Bytes }[]): unknown =>
    chain.read(owner, "isValidSignature", [toHex(hash), toHex(encodeAuthorizations(entries))]);
  assert.equal(ask([first, second]), "0x1626ba7e");
  for (const wrong of [
    [first],
    [second],
    [second, first],
    [first, first],
    [],
    [first, { ...second, keyIndex: 2 }],
  ])
    assert.equal(ask(wrong), "0xffffffff");
  assert.equal(
    chain.read(TO, "isValidSignature", [toHex(hash), toHex(encodeAuthorizations([first]))]),
    undefined,
  );
});

test("a commitment is made once, changes by its key alone, and is needed to enroll", () => {
  const chain = newChain();
  const commitment = (key: HeldKey): string =>
    toHex(keccak256(concatBytes(Uint8Array.of(key.schemeId), key.publicKey)));
  const next = heldKey(SCHEME_ML_DSA_44, 9);
  assert.ok(succeeded(chain.call(ethereum, "protect", [commitment(lattice)])));
  const since = chain.record(owner).committedSince;
  assert.ok(
    !succeeded(chain.call(ethereum, "protect", [commitment(next)])),
    "the elliptic key cannot replace it",
  );
  assert.ok(!succeeded(chain.enroll(ethereum, { threshold: 1, keys: [thief] })), "nor go around it");
  const message = digest("ostrom/protection/1", owner, 0, hex(commitment(next)));
  const change = (key: HeldKey, signature: Bytes): Ran =>
    chain.call(stranger, "changeProtection", [toHex(owner), commitment(next), abiKey(key), toHex(signature)]);
  assert.ok(!succeeded(change(next, signForKeySets(next, message))));
  assert.ok(!succeeded(change(lattice, signForKeySets(next, message))));
  assert.ok(succeeded(change(lattice, signForKeySets(lattice, message))));
  assert.equal(chain.record(owner).committedSince, since, "it stays as old as it was");
  assert.equal(toHex(chain.record(owner).commitment ?? EMPTY_BYTES), commitment(next));
  assert.ok(!succeeded(change(lattice, signForKeySets(lattice, message))), "the old key has no say any more");
  assert.ok(succeeded(chain.enroll(ethereum, { threshold: 2, keys: [elliptic, next] })));
});

test("who changes keys pays for it, whatever the keys are: the largest set fits a transaction's gas", () => {
  const keys = Array.from({ length: 8 }, (_, seed) => heldKey(SCHEME_ML_DSA_44, 20 + seed));
  const chain = newChain();
  const ran = chain.enroll(ethereum, { threshold: 8, keys });
  assert.ok(succeeded(ran));
  assert.ok((ran.receipt?.gasUsed ?? 0n) < 2n ** 24n);
  const all = keys.map((key, index) => [index, key] as const);
  assert.ok(succeeded(chain.send(byKeys(1, ...all), { to: TO })));
  // The same keys are not stored again.
  const proposed = chain.call(byKeys(1, ...all), "propose", [
    abiSet({ threshold: 7, keys }),
    possessions(owner, 2, { threshold: 7, keys }),
    "0x",
  ]);
  assert.ok(succeeded(proposed));
  assert.ok((proposed.receipt?.gasUsed ?? 0n) < (ran.receipt?.gasUsed ?? 0n) / 2n);
});

test("attack: who has keys put in force from within a call of the system leaves the old key no way", () => {
  const chain = enrolled({ threshold: 1, keys: [elliptic], timelock: 10 });
  assert.equal(chain.code(owner).length, 0);
  assert.ok(succeeded(chain.propose(ethereum, { threshold: 1, keys: [lattice] })));
  chain.wait(10);
  const { header } = chain.chain.head;
  const state = new StateOverlay(chain.chain.state);
  const block: BlockContext = {
    number: BigInt(header.number + 1),
    timestamp: BigInt(header.timestamp + 10),
    coinbase: TO,
    gasLimit: header.gasLimit,
    baseFeePerGas: 0n,
    prevRandao: header.prevRandao,
    blobBaseFee: 1n,
    chainId: 1n,
    blockHash: () => undefined,
  };
  const outcome = systemCall(
    { fork: "prague", block, state },
    KEY_SETS_ADDRESS,
    callData("applyProposal", [toHex(owner)]),
  );
  assert.equal(outcome.status, "success");
  assert.ok(isKeyedAccount(state.code(owner)));
});
