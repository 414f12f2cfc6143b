import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, concatBytes, createRandom, EMPTY_BYTES, toHex } from "@ostrom/base";
import { keccak256, SCHEME_ML_DSA_44, SCHEME_ML_DSA_65, SCHEME_P256, SCHEME_SECP256K1 } from "@ostrom/crypto";
import type { StateReader } from "@ostrom/state";
import { addressOfKeys } from "./account-keys.ts";
import { KEY_SETS_ADDRESS } from "./key-addresses.ts";
import { actingVersion, readCurveBreak, readKeySet } from "./key-sets.ts";
import {
  digest,
  encodeAuthorizations,
  type HeldKey,
  heldKey,
  KeyChain,
  type KeySetRequest,
  type Signer,
  senderOf,
  signForKeySets,
} from "./testing/key-chain.ts";
import {
  byKeys,
  edwards,
  elliptic,
  ethereum,
  lattice,
  NOT_AUTHORIZED,
  owner,
  refused,
  succeeded,
  TO,
} from "./testing/key-owner.ts";

const thief = heldKey(SCHEME_ML_DSA_44, 4);
const breakers = [heldKey(SCHEME_ML_DSA_44, 5), heldKey(SCHEME_ML_DSA_65, 6), heldKey(SCHEME_ML_DSA_44, 7)];
const sponsor: Signer = { kind: "ethereum", secretKey: heldKey(SCHEME_SECP256K1, 8).secretKey };
const quantumKeys = [heldKey(SCHEME_ML_DSA_44, 9)];
const quantumOwner = addressOfKeys(1, quantumKeys);
const quantum: Signer = { kind: "inline", sender: quantumOwner, threshold: 1, keys: quantumKeys };
const hybridKeys = [heldKey(SCHEME_SECP256K1, 10), heldKey(SCHEME_ML_DSA_44, 11)];
const hybridOwner = addressOfKeys(2, hybridKeys);

function newChain(breakThreshold = 2): KeyChain {
  const keys = breakers.map(({ schemeId, publicKey }) => ({ schemeId, publicKey }));
  return new KeyChain([owner, senderOf(sponsor), quantumOwner, hybridOwner], {
    breakers: keys,
    breakThreshold,
  });
}

function committed(key: HeldKey): Signer {
  return { kind: "inline", sender: owner, threshold: 1, keys: [key] };
}

function declare(chain: KeyChain, since: number): void {
  assert.ok(succeeded(chain.declareBroken(sponsor, BigInt(since), breakers.slice(0, 2))));
}

function commit(chain: KeyChain, key: HeldKey): void {
  const commitment = keccak256(concatBytes(Uint8Array.of(key.schemeId), key.publicKey));
  assert.ok(succeeded(chain.call(ethereum, "protect", [toHex(commitment)])));
}

/** Changes keys by a proposal and its application, a timelock of 10 seconds. */
function rotate(chain: KeyChain, signer: Signer, request: KeySetRequest): void {
  assert.ok(succeeded(chain.propose(signer, { timelock: 10, ...request })));
  chain.wait(10);
  assert.ok(succeeded(chain.call(quantum, "applyProposal", [toHex(senderOf(signer))])));
}

test("only enough of genesis' breakers declare elliptic curves broken, once, for no time to come", () => {
  const chain = newChain();
  const now = BigInt(chain.timestamp);
  const [first, second] = breakers as [HeldKey, HeldKey, HeldKey];
  assert.ok(!succeeded(chain.declareBroken(sponsor, now, [first])));
  assert.ok(!succeeded(chain.declareBroken(sponsor, now, [second, first])));
  assert.ok(!succeeded(chain.declareBroken(sponsor, now, [first, first])));
  assert.ok(!succeeded(chain.declareBroken(sponsor, now, [first, lattice])));
  assert.ok(!succeeded(chain.declareBroken(sponsor, 0n, [first, second])));
  assert.ok(!succeeded(chain.declareBroken(sponsor, now + 100n, [first, second])));
  assert.equal(readCurveBreak(chain.chain.state), undefined);
  declare(chain, Number(now));
  assert.equal(readCurveBreak(chain.chain.state)?.since, now);
  assert.ok(!succeeded(chain.declareBroken(quantum, now, breakers)), "once");
  const nobody = new KeyChain([senderOf(sponsor)]);
  assert.ok(!succeeded(nobody.declareBroken(sponsor, 1n, [])), "a chain without breakers has nobody who may");
});

test("from the block after the declaration on types 0 to 4 are void; in its own block they are not", () => {
  const chain = newChain();
  const nonce = chain.nonce(senderOf(sponsor));
  const raws = [
    chain.sign(ethereum, { to: TO, value: 1n }).raw,
    chain.sign(sponsor, { to: TO, value: 1n, nonce }).raw,
  ];
  declare(chain, chain.timestamp);
  const { skipped } = chain.block(raws);
  assert.deepEqual(
    skipped.map(({ reason }) => [reason.code, reason.retry]),
    [
      [NOT_AUTHORIZED, false],
      ["execution/nonce-too-low", false],
    ],
  );
  assert.equal(refused(chain.send(sponsor, { to: TO })), NOT_AUTHORIZED);
  const inline: Signer = { kind: "inline", sender: owner, threshold: 1, keys: [elliptic] };
  assert.equal(refused(chain.send(inline, { to: TO })), NOT_AUTHORIZED, "nor does its inline key act");
  assert.ok(succeeded(chain.send(quantum, { to: TO })));
});

test("elliptic keys of a set count for nothing; as many post-quantum keys as the threshold, or all there are, suffice", () => {
  const cases: readonly (readonly [KeySetRequest, readonly (readonly [number, HeldKey])[], boolean])[] = [
    [{ threshold: 2, keys: [elliptic, lattice] }, [[1, lattice]], true],
    [
      { threshold: 2, keys: [elliptic, lattice] },
      [
        [0, elliptic],
        [1, lattice],
      ],
      true,
    ],
    [{ threshold: 1, keys: [elliptic, lattice] }, [[0, elliptic]], false],
    [{ threshold: 1, keys: [edwards, lattice, thief] }, [[1, lattice]], true],
    [
      { threshold: 2, keys: [edwards, lattice, thief] },
      [
        [0, edwards],
        [1, lattice],
      ],
      false,
    ],
    [
      { threshold: 2, keys: [edwards, lattice, thief] },
      [
        [1, lattice],
        [2, thief],
      ],
      true,
    ],
    [
      { threshold: 3, keys: [edwards, lattice, thief] },
      [
        [1, lattice],
        [2, thief],
      ],
      true,
    ],
    [{ threshold: 1, keys: [edwards] }, [[0, edwards]], false],
  ];
  for (const [request, signers, isEnough] of cases) {
    const chain = newChain();
    assert.ok(succeeded(chain.enroll(ethereum, request)));
    declare(chain, chain.timestamp + 1);
    const ran = chain.send(byKeys(1, ...signers), { to: TO });
    if (isEnough) assert.ok(succeeded(ran));
    else assert.equal(refused(ran), NOT_AUTHORIZED);
  }
});

test("a hybrid account of inline keys goes on by its post-quantum key", () => {
  const chain = newChain();
  declare(chain, chain.timestamp);
  const signer: Signer = { kind: "inline", sender: hybridOwner, threshold: 2, keys: hybridKeys };
  assert.ok(succeeded(chain.send(signer, { to: TO })));
});

test("the key that an account committed to before the break acts for it alone, and its stolen key no more", () => {
  const chain = newChain();
  commit(chain, lattice);
  assert.equal(refused(chain.send(committed(lattice), { to: TO })), NOT_AUTHORIZED, "not before the break");
  declare(chain, chain.timestamp);
  assert.equal(refused(chain.send(ethereum, { to: TO })), NOT_AUTHORIZED);
  assert.equal(refused(chain.send(committed(thief), { to: TO })), NOT_AUTHORIZED);
  assert.ok(succeeded(chain.send(committed(lattice), { to: TO, value: 3n })));
  assert.equal(chain.chain.state.account(TO)?.balance, 3n);
  // And may make a set, which acts from then on.
  assert.ok(succeeded(chain.enroll(committed(lattice), { threshold: 1, keys: [lattice], timelock: 10 })));
  assert.equal(refused(chain.send(committed(lattice), { to: TO })), NOT_AUTHORIZED);
  assert.ok(succeeded(chain.send(byKeys(1, [0, lattice]), { to: TO })));
  rotate(chain, byKeys(1, [0, lattice]), { threshold: 1, keys: [lattice, breakers[0]!] });
  assert.ok(succeeded(chain.send(byKeys(2, [1, breakers[0]!]), { to: TO })));
});

test("a commitment of the time of the break or after it is worth nothing", () => {
  const chain = newChain();
  commit(chain, thief);
  declare(chain, Number(chain.record(owner).committedSince));
  assert.equal(refused(chain.send(committed(thief), { to: TO })), NOT_AUTHORIZED);
});

test("a set without post-quantum keys is frozen; only the committed key opens it", () => {
  const chain = newChain();
  commit(chain, lattice);
  assert.ok(succeeded(chain.enroll(ethereum, { threshold: 2, keys: [elliptic, lattice], timelock: 10 })));
  rotate(chain, byKeys(1, [0, elliptic], [1, lattice]), { threshold: 2, keys: [elliptic, edwards] });
  declare(chain, chain.timestamp + 1);
  assert.equal(refused(chain.send(byKeys(2, [0, elliptic], [1, edwards]), { to: TO })), NOT_AUTHORIZED);
  assert.ok(succeeded(chain.send(committed(lattice), { to: TO })));
  const frozen = newChain();
  assert.ok(succeeded(frozen.enroll(ethereum, { threshold: 1, keys: [edwards] })));
  declare(frozen, frozen.timestamp + 1);
  assert.equal(refused(frozen.send(byKeys(1, [0, edwards]), { to: TO })), NOT_AUTHORIZED);
  assert.equal(refused(frozen.send(ethereum, { to: TO })), NOT_AUTHORIZED);
});

test("what elliptic keys alone changed since the break is void, with all that came after it", () => {
  const chain = newChain();
  assert.ok(succeeded(chain.enroll(ethereum, { threshold: 1, keys: [edwards, lattice], timelock: 10 })));
  rotate(chain, byKeys(1, [1, lattice]), { threshold: 1, keys: [edwards, lattice, breakers[0]!] });
  const since = chain.timestamp + 1;
  rotate(chain, byKeys(2, [1, lattice]), { threshold: 1, keys: [edwards, lattice] });
  // Who has computed the Ed25519 key takes the account over.
  rotate(chain, byKeys(3, [0, edwards]), { threshold: 1, keys: [thief] });
  rotate(chain, byKeys(4, [0, thief]), { threshold: 1, keys: [thief, heldKey(SCHEME_ML_DSA_44, 30)] });
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((version) => readKeySet(chain.chain.state, owner, version).isPostQuantum),
    [false, true, true, false, true],
  );
  declare(chain, since);
  chain.block([]);
  assert.equal(
    chain.read(KEY_SETS_ADDRESS, "governingVersion", [toHex(owner)]),
    3,
    "the contract says so too",
  );
  assert.equal(refused(chain.send(byKeys(5, [0, thief]), { to: TO })), NOT_AUTHORIZED);
  assert.equal(refused(chain.send(byKeys(3, [0, edwards]), { to: TO })), NOT_AUTHORIZED);
  assert.ok(succeeded(chain.send(byKeys(3, [1, lattice]), { to: TO })));
  // The owner goes on from there.
  rotate(chain, byKeys(3, [1, lattice]), { threshold: 1, keys: [breakers[0]!] });
  assert.equal(chain.record(owner).version, 6);
  assert.ok(succeeded(chain.send(byKeys(6, [0, breakers[0]!]), { to: TO })));
});

test("attack: a proposal of elliptic keys that waits when the break is declared is never applied", () => {
  const chain = newChain();
  assert.ok(succeeded(chain.enroll(ethereum, { threshold: 1, keys: [edwards, lattice], timelock: 10 })));
  assert.ok(succeeded(chain.propose(byKeys(1, [0, edwards]), { threshold: 1, keys: [thief] })));
  declare(chain, chain.timestamp + 1);
  chain.wait(20);
  assert.ok(!succeeded(chain.call(quantum, "applyProposal", [toHex(owner)])));
  assert.ok(succeeded(chain.call(byKeys(1, [1, lattice]), "cancel", [])));
  rotate(chain, byKeys(1, [1, lattice]), { threshold: 1, keys: [lattice] });
  assert.ok(succeeded(chain.send(byKeys(2, [0, lattice]), { to: TO })));
});

test("a proposal of post-quantum keys that waits is applied", () => {
  const chain = newChain();
  assert.ok(succeeded(chain.enroll(ethereum, { threshold: 1, keys: [edwards, lattice], timelock: 10 })));
  assert.ok(succeeded(chain.propose(byKeys(1, [1, lattice]), { threshold: 1, keys: [breakers[0]!] })));
  declare(chain, chain.timestamp + 1);
  chain.wait(10);
  assert.ok(succeeded(chain.call(quantum, "applyProposal", [toHex(owner)])));
  assert.ok(succeeded(chain.send(byKeys(2, [0, breakers[0]!]), { to: TO })));
});

test("attack: who steals an elliptic key before the declaration enrolls for nothing; the committed key takes the account back", () => {
  const chain = newChain();
  const since = chain.timestamp + 2;
  commit(chain, lattice);
  chain.wait(10);
  assert.ok(
    !succeeded(chain.enroll(ethereum, { threshold: 1, keys: [thief] })),
    "not without the committed key",
  );
  declare(chain, since);
  assert.ok(succeeded(chain.send(committed(lattice), { to: TO })));
});

test("attack: without a commitment, a set that a thief enrolled since the break freezes the account instead of being the thief's", () => {
  const chain = newChain();
  const since = chain.timestamp;
  assert.ok(succeeded(chain.enroll(ethereum, { threshold: 1, keys: [thief] })));
  declare(chain, since);
  assert.equal(refused(chain.send(byKeys(1, [0, thief]), { to: TO })), NOT_AUTHORIZED);
  assert.equal(refused(chain.send(committed(thief), { to: TO })), NOT_AUTHORIZED);
});

test("attack: a guardian of elliptic curves neither cancels nor approves any more", () => {
  const chain = newChain();
  const guardian = heldKey(SCHEME_P256, 50);
  const request: KeySetRequest = { threshold: 1, keys: [lattice], timelock: 10, guardian };
  assert.ok(succeeded(chain.enroll(ethereum, request)));
  declare(chain, chain.timestamp + 1);
  const signer = byKeys(1, [0, lattice]);
  assert.ok(succeeded(chain.propose(signer, { threshold: 1, keys: [breakers[0]!], timelock: 10 })));
  const cancellation = digest("ostrom/keyset-cancellation/1", owner, 1, keccak256(EMPTY_BYTES));
  const cancel = [toHex(owner), toHex(signForKeySets(guardian, cancellation))];
  assert.ok(!succeeded(chain.call(quantum, "cancelByGuardian", cancel)));
});

test("the acting version is the one before the first that elliptic keys alone made since the break, wherever that was", () => {
  for (const versions of [1, 2, 3, 10, 50]) {
    for (let since = 1; since <= versions + 1; since++) {
      const first = Array.from({ length: versions }, (_, i) => i + 1).find(
        (version) => version >= since && isElliptic(version),
      );
      const acting = actingVersion(historyOf(versions), owner, versions, { since: BigInt(since) });
      assert.equal(
        acting,
        first === undefined ? versions : first - 1,
        `${versions} versions, since ${since}`,
      );
    }
  }
});

test("attack: no history takes more reads than twice the bits of a version's number", () => {
  const random = createRandom(11);
  for (let round = 0; round < 50; round++) {
    let reads = 0;
    const state = {
      storage: () => {
        reads++;
        return BigInt(`0x${toHex(random.bytes(32)).slice(2)}`) & ~(0xffn << 32n);
      },
    };
    const acting = actingVersion(state, owner, 2 ** 32 - 1, { since: 2n ** 63n });
    assert.ok(reads <= 2 * 32 + 2, `${reads} reads`);
    assert.ok(acting >= 0 && acting < 2 ** 32);
  }
});

/** Every third is made by post-quantum keys. */
function isElliptic(version: number): boolean {
  return version % 3 !== 0;
}

/** Versions whose time is their number. */
function historyOf(versions: number): Pick<StateReader, "storage"> {
  const words = new Map<bigint, bigint>();
  for (let version = 1; version <= versions; version++) {
    const { slot } = readKeySet({ storage: () => 0n }, owner, version);
    words.set(slot, (BigInt(version) << 80n) | (BigInt(version - Math.floor(version / 3)) << 144n));
  }
  return { storage: (_address, slot) => words.get(slot) ?? 0n };
}

test("a keyed account's ERC-1271 answers by post-quantum keys alone", () => {
  const chain = newChain();
  assert.ok(succeeded(chain.enroll(ethereum, { threshold: 1, keys: [edwards, lattice] })));
  const hash = keccak256(EMPTY_BYTES);
  const message = digest("ostrom/message/1", owner, 1, hash);
  const ask = (keyIndex: number, key: HeldKey): unknown => {
    const signature: Bytes = encodeAuthorizations([{ keyIndex, signature: signForKeySets(key, message) }]);
    return chain.read(owner, "isValidSignature", [toHex(hash), toHex(signature)]);
  };
  assert.deepEqual([ask(0, edwards), ask(1, lattice)], ["0x1626ba7e", "0x1626ba7e"]);
  declare(chain, chain.timestamp + 1);
  chain.block([]);
  assert.deepEqual([ask(0, edwards), ask(1, lattice)], ["0xffffffff", "0x1626ba7e"]);
});
