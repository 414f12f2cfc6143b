// node core/vm/precompiles/precompiles.bench.ts [--native]: what a unit of gas buys of each precompile, in nanoseconds.
// The block gas limit is derived from the worst of these (and of the opcodes).
import { p256 } from "@noble/curves/nist.js";
import { type Bytes, bigintToBytes, concatBytes, createRandom, Hash } from "@ostrom/base";
import { engineNames, nobleSecp256k1, sha256 } from "@ostrom/crypto";
import type { Fork } from "../types.ts";
import { runPrecompile } from "./index.ts";
import { prove } from "./testing/kzg-claims.ts";
import { blsField, randomBlsG1, randomBlsG2, randomBn254G1, randomBn254G2 } from "./testing/points.ts";

const MIN_MILLISECONDS = 200;
const WARM_UP_CALLS = 5;
const random = createRandom(1);

function repeat(count: number, part: () => Bytes): Bytes {
  return concatBytes(...Array.from({ length: count }, part));
}

function recoverInput(): Bytes {
  const hash = random.bytes(32);
  const { signature, yParity } = nobleSecp256k1.sign(Hash(hash), random.bytes(32));
  return concatBytes(hash, bigintToBytes(BigInt(27 + yParity), 32), signature);
}

function modexpInput(base: number, exponent: number, modulus: number): Bytes {
  const parts = [base, exponent, modulus].map((length) => random.bytes(length).fill(0xff, 0, 1));
  return concatBytes(...parts.map((part) => bigintToBytes(BigInt(part.length), 32)), ...parts);
}

function blake2fInput(rounds: number): Bytes {
  const input = random.bytes(213);
  input.set(bigintToBytes(BigInt(rounds), 4));
  input[212] = 1;
  return input;
}

function pointEvaluationInput(): Bytes {
  const { commitment, z, y, proof } = prove([5n, 7n, 11n], 3n);
  const versionedHash = sha256(commitment).slice();
  versionedHash[0] = 1;
  return concatBytes(versionedHash, z, y, commitment, proof);
}

function p256Input(): Bytes {
  const secret = random.bytes(32);
  const hash = random.bytes(32);
  const key = p256.getPublicKey(secret, false).subarray(1);
  return concatBytes(hash, p256.sign(hash, secret, { prehash: false }), key);
}

function* subjects(): Generator<readonly [name: string, address: number, input: Bytes, fork?: Fork]> {
  yield ["ecrecover", 0x01, recoverInput()];
  yield ["sha256, 1 KiB", 0x02, random.bytes(1024)];
  yield ["ripemd160, 1 KiB", 0x03, random.bytes(1024)];
  yield ["identity, 1 KiB", 0x04, random.bytes(1024)];
  for (const fork of ["prague", "osaka"] as const) {
    for (const [base, exponent, modulus] of [
      [8, 1024, 8],
      [32, 32, 32],
      [32, 1024, 32],
      [256, 3, 256],
      [256, 256, 256],
      [1024, 1, 1024],
    ] as const) {
      const name = `modexp ${base}, ${exponent}, ${modulus}, ${fork}`;
      yield [name, 0x05, modexpInput(base, exponent, modulus), fork];
    }
  }
  yield ["bn254 add", 0x06, repeat(2, () => randomBn254G1(random))];
  yield ["bn254 multiply", 0x07, concatBytes(randomBn254G1(random), random.bytes(32))];
  for (const pairs of [1, 4]) {
    const input = repeat(pairs, () => concatBytes(randomBn254G1(random), randomBn254G2(random)));
    yield [`bn254 pairing, ${pairs}`, 0x08, input];
  }
  for (const rounds of [12, 100_000]) yield [`blake2f, ${rounds} rounds`, 0x09, blake2fInput(rounds)];
  yield ["kzg point evaluation", 0x0a, pointEvaluationInput()];
  yield ["bls g1 add", 0x0b, repeat(2, () => randomBlsG1(random))];
  yield ["bls g2 add", 0x0d, repeat(2, () => randomBlsG2(random))];
  for (const terms of [1, 2, 16, 128]) {
    yield [
      `bls g1 msm, ${terms}`,
      0x0c,
      repeat(terms, () => concatBytes(randomBlsG1(random), random.bytes(32))),
    ];
    yield [
      `bls g2 msm, ${terms}`,
      0x0e,
      repeat(terms, () => concatBytes(randomBlsG2(random), random.bytes(32))),
    ];
  }
  for (const pairs of [1, 2, 8]) {
    const input = repeat(pairs, () => concatBytes(randomBlsG1(random), randomBlsG2(random)));
    yield [`bls pairing, ${pairs}`, 0x0f, input];
  }
  yield ["bls map fp", 0x10, blsField(2n ** 380n)];
  yield ["bls map fp2", 0x11, concatBytes(blsField(2n ** 379n), blsField(2n ** 378n))];
  yield ["p256 verify", 0x100, p256Input()];
}

if (process.argv.includes("--native")) {
  const { installNativeCrypto } = await import("../../../node/runtime/native-crypto.ts");
  installNativeCrypto();
}
console.log(engineNames());
for (const [name, address, input, fork = "osaka"] of subjects()) {
  const call = (): bigint => {
    const result = runPrecompile(fork, address, input, 1n << 60n);
    if (!result.ok || result.output.length === 0) throw new Error(`${name} must succeed to be measured`);
    return result.gasUsed;
  };
  for (let i = 0; i < WARM_UP_CALLS; i++) call();
  const gas = Number(call());
  let calls = 0;
  const start = performance.now();
  while (performance.now() - start < MIN_MILLISECONDS) {
    call();
    calls++;
  }
  const microseconds = ((performance.now() - start) / calls) * 1000;
  const perGas = (microseconds * 1000) / gas;
  console.log(
    `${name.padEnd(32)}${microseconds.toFixed(1).padStart(10)} us${perGas.toFixed(0).padStart(8)} ns/gas`,
  );
}
