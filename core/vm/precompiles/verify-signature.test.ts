import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Bytes,
  bigintToBytes,
  concatBytes,
  EMPTY_BYTES,
  hex,
  toHex,
  toHexDigits,
  utf8,
  wordToBytes,
} from "@ostrom/base";
import {
  SCHEME_BLS12381,
  SCHEME_ML_DSA_44,
  SCHEME_SLH_DSA_SHA2_128S,
  SIGNATURE_SCHEMES,
  type SignatureScheme,
  signatureEngine,
} from "@ostrom/crypto";
import { cryptographyPrecompiles, forkPrecompiles } from "../precompile-set.ts";
import { signatureGas } from "../signature-gas.ts";
import { SM3_ADDRESS, verifyAddress } from "./cryptography.ts";

const PLENTY = 10_000_000n;
const MESSAGE = utf8("pay to the order of the commons");
const SCHEMES = SIGNATURE_SCHEMES.filter(({ id }) => id !== SCHEME_BLS12381);
const precompiles = cryptographyPrecompiles("cancun");

type Parts = {
  readonly context: Bytes;
  readonly message: Bytes;
  readonly publicKey: Bytes;
  readonly signature: Bytes;
};

function input({ context, message, publicKey, signature }: Parts): Bytes {
  const contextLength = bigintToBytes(BigInt(context.length), 2);
  const messageLength = bigintToBytes(BigInt(message.length), 4);
  return concatBytes(contextLength, context, messageLength, message, publicKey, signature);
}

function call(
  { id }: SignatureScheme,
  data: Bytes,
  gasLimit = PLENTY,
): { gas: bigint; output: string } | undefined {
  const result = precompiles.call(verifyAddress(id), data, gasLimit);
  return result?.ok === true ? { gas: result.gasUsed, output: toHex(result.output) } : undefined;
}

function signed({ id, secretKeyLength }: SignatureScheme, context: Bytes = EMPTY_BYTES): Parts {
  const engine = signatureEngine(id);
  assert.ok(engine);
  const secretKey = new Uint8Array(secretKeyLength).fill(7);
  const signature = engine.sign(secretKey, MESSAGE, context);
  return { context, message: MESSAGE, publicKey: engine.publicKey(secretKey), signature };
}

const TRUE = toHex(wordToBytes(1n));
const SIGNED = new Map(SCHEMES.map((scheme) => [scheme, signed(scheme)]));

test("each scheme that signs accounts' messages is verified at ver || id, and SM3 is at hsh || id, beside Ethereum's", () => {
  assert.deepEqual(precompiles.addresses.map(toHexDigits), [
    ...forkPrecompiles("cancun").addresses.map(toHexDigits),
    ...SCHEMES.map(({ id }) => `766572${id.toString(16).padStart(2, "0")}`.padStart(40, "0")),
    "68736803".padStart(40, "0"),
  ]);
  assert.equal(precompiles.call(verifyAddress(SCHEME_BLS12381), EMPTY_BYTES, PLENTY), undefined);
  assert.equal(precompiles.call(verifyAddress(12), EMPTY_BYTES, PLENTY), undefined);
  assert.equal(forkPrecompiles("osaka").call(SM3_ADDRESS, EMPTY_BYTES, PLENTY), undefined);
});

test("a valid signature gives the word 1, for the scheme's price and 12 a word of the message", () => {
  for (const [scheme, parts] of SIGNED) {
    const expected = { gas: signatureGas(scheme.id) + 12n, output: TRUE };
    assert.deepEqual(call(scheme, input(parts)), expected, scheme.name);
    assert.deepEqual(call(scheme, input(parts), expected.gas), expected, scheme.name);
    assert.equal(call(scheme, input(parts), expected.gas - 1n), undefined, scheme.name);
  }
});

test("another message, key or signature, and bytes too many or too few, give nothing", () => {
  for (const [scheme, parts] of SIGNED) {
    const { publicKey, signature } = parts;
    const others: readonly Bytes[] = [
      input({ ...parts, message: utf8("pay to the order of a thief of all the commons") }),
      input({ ...parts, publicKey: flipped(publicKey) }),
      input({ ...parts, signature: flipped(signature) }),
      input({ ...parts, signature: concatBytes(signature, Uint8Array.of(0)) }),
      input({ ...parts, signature: signature.subarray(0, -1) }),
      input({ ...parts, signature: EMPTY_BYTES }),
      input({ ...parts, signature: new Uint8Array(signature.length) }),
      input({ ...parts, publicKey: publicKey.subarray(1) }),
    ];
    for (const [index, data] of others.entries())
      assert.equal(call(scheme, data)?.output, "0x", `${scheme.name}, ${index}`);
  }
});

test("only ML-DSA and SLH-DSA know contexts, of at most 255 bytes, and no other scheme lets one be added to what was signed without it", () => {
  const context = utf8("ostrom/transaction");
  for (const [scheme, parts] of SIGNED) {
    assert.equal(call(scheme, input({ ...parts, context }))?.output, "0x", scheme.name);
    assert.equal(call(scheme, input({ ...parts, context: new Uint8Array(256) }))?.output, "0x", scheme.name);
    if (scheme.id !== SCHEME_ML_DSA_44 && scheme.id !== SCHEME_SLH_DSA_SHA2_128S) continue;
    const withContext = signed(scheme, context);
    assert.equal(call(scheme, input(withContext))?.output, TRUE, scheme.name);
    assert.equal(call(scheme, input({ ...withContext, context: EMPTY_BYTES }))?.output, "0x", scheme.name);
  }
});

test("input that ends early, or names lengths beyond its end, costs the base price and gives nothing", () => {
  for (const [scheme, parts] of SIGNED) {
    const whole = input(parts);
    const nothing = { gas: signatureGas(scheme.id), output: "0x" };
    for (const length of [0, 1, 2, 5, 6, 6 + MESSAGE.length, 5 + MESSAGE.length + scheme.publicKeyLength])
      assert.deepEqual(call(scheme, whole.subarray(0, length)), nothing, `${scheme.name}, ${length}`);
    assert.deepEqual(
      call(scheme, concatBytes(hex("0x0000ffffffff"), whole.subarray(6))),
      nothing,
      scheme.name,
    );
    assert.deepEqual(call(scheme, concatBytes(hex("0xffff"), whole.subarray(2))), nothing, scheme.name);
  }
});

test("SM3 gives the standard's two examples, at SHA-256's price", () => {
  const examples: readonly (readonly [Bytes, bigint, string])[] = [
    [utf8("abc"), 72n, "0x66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"],
    [utf8("abcd".repeat(16)), 84n, "0xdebe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"],
  ];
  for (const [data, gas, digest] of examples) {
    const result = precompiles.call(SM3_ADDRESS, data, gas);
    assert.ok(result?.ok === true);
    assert.deepEqual([result.gasUsed, toHex(result.output)], [gas, digest]);
    assert.deepEqual(precompiles.call(SM3_ADDRESS, data, gas - 1n), { ok: false });
  }
});

test("Ethereum's precompiles answer as without the others", () => {
  for (const fork of ["cancun", "prague", "osaka"] as const) {
    for (const address of forkPrecompiles(fork).addresses) {
      const expected = forkPrecompiles(fork).call(address, MESSAGE, PLENTY);
      assert.deepEqual(cryptographyPrecompiles(fork).call(address, MESSAGE, PLENTY), expected);
    }
  }
});

function flipped(bytes: Bytes): Bytes {
  const copy = bytes.slice();
  copy[copy.length >> 1]! ^= 1;
  return copy;
}
