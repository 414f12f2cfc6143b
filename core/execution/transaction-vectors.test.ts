import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { hex, ok, type Result, toHex, toHexDigits, unwrap } from "@ostrom/base";
import { SCHEME_SECP256K1 } from "@ostrom/crypto";
import { intrinsicGas } from "./intrinsic-gas.ts";
import { addressOfSecretKey } from "./signature.ts";
import { checkStaticValidity } from "./static-validity.ts";
import { decodeSignedTransaction } from "./transaction.ts";
import type { SignedTransaction } from "./types.ts";

const VECTORS = join(import.meta.dirname, "../../../shared/vectors/ethereum");
const skip = existsSync(VECTORS) ? false : "the shared vectors are not here (../shared/vectors/ethereum)";
/** The newest first; the rules for reading a transaction did not change between them but for EIP-3860. */
const FORKS = ["Prague", "Cancun", "Shanghai", "Paris", "London"] as const;

type Expected = {
  readonly exception?: string;
  readonly hash: string;
  readonly sender: string;
  readonly intrinsicGas: string;
};
type Vector = { readonly result: Readonly<Record<string, Expected>>; readonly txbytes: string };

/** All that is checked of a transaction before state is looked at, on mainnet. */
function admit(
  bytes: Uint8Array,
): Result<SignedTransaction, { readonly code: string; readonly message: string }> {
  const decoded = decodeSignedTransaction(bytes);
  if (!decoded.ok) return decoded;
  const rules = { chainId: 1n, blockGasLimit: 2n ** 64n, accountSchemes: [SCHEME_SECP256K1] };
  const valid = checkStaticValidity(decoded.value, rules, "cancun");
  return valid.ok ? ok(decoded.value) : valid;
}

test("TransactionTests (ethereum/tests): hash, sender and intrinsic gas as given, or refused", {
  skip,
}, (t) => {
  const folder = join(VECTORS, "TransactionTests");
  let valid = 0;
  let refused = 0;
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".json")) continue;
    const vectors = JSON.parse(readFileSync(join(folder, file), "utf8")) as Record<string, Vector>;
    for (const [name, { result, txbytes }] of Object.entries(vectors)) {
      const fork = FORKS.find((candidate) => result[candidate] !== undefined);
      assert.ok(fork, `${file} has a fork that we know`);
      const expected = result[fork]!;
      const admitted = admit(hex(txbytes));
      if (expected.exception !== undefined) {
        assert.equal(admitted.ok, false, `${file} ${name} must be refused: ${expected.exception}`);
        refused++;
        continue;
      }
      const transaction = unwrap(admitted);
      assert.equal(toHex(transaction.hash), expected.hash, file);
      assert.equal(toHex(transaction.sender), expected.sender, file);
      assert.equal(intrinsicGas(transaction, "cancun"), BigInt(expected.intrinsicGas), file);
      valid++;
    }
  }
  assert.ok(valid + refused >= 200, "the folder holds the whole suite");
  t.diagnostic(`${valid} valid, ${refused} refused`);
});

type TransactionVector = {
  readonly key: string;
  readonly nonce: number;
  readonly gasprice: number;
  readonly startgas: number;
  readonly to: string;
  readonly value: number;
  readonly data: string;
  readonly signed: string;
};

test("BasicTests/txtest.json: the signed transactions decode to the given fields", { skip }, () => {
  const vectors = JSON.parse(
    readFileSync(join(VECTORS, "BasicTests/txtest.json"), "utf8"),
  ) as readonly TransactionVector[];
  let usable = 0;
  for (const vector of vectors) {
    const decoded = decodeSignedTransaction(hex(vector.signed));
    if (!decoded.ok) {
      // The second vector is from before EIP-2: its s lies in the upper half.
      assert.equal(decoded.error.code, "transaction/invalid-signature");
      continue;
    }
    usable++;
    const transaction = decoded.value;
    assert.deepEqual(transaction.sender, addressOfSecretKey(hex(vector.key)));
    assert.equal(transaction.nonce, BigInt(vector.nonce));
    assert.equal(transaction.maxFeePerGas, BigInt(vector.gasprice));
    assert.equal(transaction.gasLimit, BigInt(vector.startgas));
    assert.equal(transaction.value, BigInt(vector.value));
    assert.equal(toHexDigits(transaction.data), vector.data);
    assert.equal(transaction.to === undefined ? "" : toHexDigits(transaction.to), vector.to);
  }
  assert.equal(usable, 1);
});
