import assert from "node:assert/strict";
import { test } from "node:test";
import { createRandom, EMPTY_BYTES } from "@ostrom/base";
import { REFERENCE_SIGNATURE_ENGINES, SCHEME_FALCON_512 } from "@ostrom/crypto";
import { verifyPlainFalcon } from "./plain-falcon.ts";

test("Falcon's engine and a verification written apart from it say the same of honest and changed signatures", () => {
  const engine = REFERENCE_SIGNATURE_ENGINES[SCHEME_FALCON_512]!;
  const random = createRandom(40);
  let accepted = 0;
  for (let round = 0; round < 4; round++) {
    const secret = new Uint8Array(48).fill(4);
    const key = engine.publicKey(secret);
    const message = random.bytes(random.below(100));
    const signature = engine.sign(secret, message, EMPTY_BYTES);
    const changed = signature.slice();
    const index = random.below(changed.length);
    changed[index] = (changed[index] ?? 0) ^ (1 << random.below(8));
    const padded = signature.slice();
    padded[padded.length - 1] = 1;
    for (const given of [signature, changed, padded]) {
      const isGood = engine.verify(key, message, given, EMPTY_BYTES);
      assert.equal(verifyPlainFalcon(key, message, given), isGood);
      accepted += isGood ? 1 : 0;
    }
    assert.equal(engine.verify(key, message, signature, EMPTY_BYTES), true);
    assert.equal(engine.verify(key, message, padded, EMPTY_BYTES), false);
  }
  assert.equal(accepted, 4);
});
