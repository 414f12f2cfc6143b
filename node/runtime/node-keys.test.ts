import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createRandom, toHex, unwrap } from "@ostrom/base";
import { bls } from "@ostrom/crypto";
import { createIdentity } from "@ostrom/network";
import { findSeat } from "./epoch-sets.ts";
import { installNativeCrypto } from "./native-crypto.ts";
import {
  addConsensusKey,
  consensusKey,
  KEYS_FOLDER,
  openNodeKeys,
  readSecrets,
  writeSecret,
} from "./node-keys.ts";
import { OrderedChain } from "./testing/ordered-chain.ts";
import { simulatedPeerId, validatorSecret } from "./testing/simulated-genesis.ts";

installNativeCrypto();
const { bytes } = createRandom(3);

/** A folder with a node's keys. */
function setUp(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "ostrom-keys-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, KEYS_FOLDER));
  const { privateKeyPem, certificatePem } = createIdentity();
  writeSecret(join(folder, KEYS_FOLDER, "transport.pem"), privateKeyPem + certificatePem);
  writeSecret(join(folder, KEYS_FOLDER, "consensus.key"), toHex(validatorSecret(1)));
  return folder;
}

test("a running node finds a key that was added, and can prove that it holds it", (context) => {
  const folder = setUp(context);
  const keys = openNodeKeys(folder, unwrap(readSecrets(folder)), () => undefined);
  const named = (): readonly string[] => keys.consensusKeys().map(({ publicKey }) => toHex(publicKey));
  const first = toHex(bls().publicKey(validatorSecret(1)));
  assert.deepEqual(named(), [first]);
  const added = unwrap(addConsensusKey(folder, "2027", bytes));
  assert.deepEqual(named(), [first, toHex(added.publicKey)]);
  assert.ok(bls().verifyPossession(added.publicKey, added.proofOfPossession));
  const [, second] = keys.consensusKeys();
  const message = Uint8Array.of(1, 2, 3);
  assert.ok(bls().verify(added.publicKey, message, second!.sign(message)));
  assert.equal(statSync(added.path).mode & 0o077, 0);
});

test("a key is never written over, and its name is a plain one", (context) => {
  const folder = setUp(context);
  assert.ok(addConsensusKey(folder, "next", bytes).ok);
  const again = addConsensusKey(folder, "next", bytes);
  assert.equal(again.ok ? "" : again.error.code, "keys/exists");
  const odd = addConsensusKey(folder, "../next", bytes);
  assert.equal(odd.ok ? "" : odd.error.code, "keys/invalid");
});

test("a key that becomes unreadable leaves the node with those of before, and is told", (context) => {
  const folder = setUp(context);
  const warnings: string[] = [];
  const keys = openNodeKeys(folder, unwrap(readSecrets(folder)), (level) => void warnings.push(level));
  writeFileSync(join(folder, KEYS_FOLDER, "consensus-next.key"), "0x12", { mode: 0o600 });
  assert.equal(keys.consensusKeys().length, 1);
  assert.deepEqual(warnings, ["warn"]);
});

test("a seat needs both the set's identity and its key: of two machines with one key, one votes", () => {
  const { validators } = new OrderedChain();
  const seatOf = (peer: number, ...secrets: readonly number[]): number | undefined =>
    findSeat(validators, {
      peerId: simulatedPeerId(peer),
      consensusKeys: () =>
        secrets.map((secret) => consensusKey({ schemeId: 1, secret: validatorSecret(secret) })),
    })?.index;
  assert.equal(seatOf(2, 2), 2);
  assert.equal(seatOf(2, 9, 2), 2, "whichever of its keys");
  assert.equal(seatOf(2, 1), undefined);
  assert.equal(seatOf(9, 2), undefined);
});
