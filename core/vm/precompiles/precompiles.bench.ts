// node core/vm/precompiles/precompiles.bench.ts [--all] [name...]: what a unit of gas buys of each precompile, with the
// reference engines and with the native ones. One JSON line for each precompile: its worst input by the native engines; with
// --all one for each input. The block gas limit is derived from the worst of these (and of the opcodes).
import { p256 } from "@noble/curves/nist.js";
import { type Bytes, bigintToBytes, concatBytes, createRandom, Hash } from "@ostrom/base";
import { type Engines, installEngines, nobleSecp256k1, REFERENCE_ENGINES, sha256 } from "@ostrom/crypto";
import { loadNativeCrypto } from "../../../node/runtime/native-crypto.ts";
import type { Fork } from "../types.ts";
import { runPrecompile } from "./index.ts";
import { prove } from "./testing/kzg-claims.ts";
import { blsField, randomBlsG1, randomBlsG2, randomBn254G1, randomBn254G2 } from "./testing/points.ts";

/** What reaching a precompile costs at least (EIP-2929): no input is cheaper than that. */
const CALL_GAS = 100;
const BATCH_MILLISECONDS = 3;
const MIN_MILLISECONDS = 500;
const WARM_UP_MILLISECONDS = 60;
const random = createRandom(1);

function repeat(count: number, part: () => Bytes): Bytes {
  return concatBytes(...Array.from({ length: count }, part));
}

function recoverInput(): Bytes {
  const hash = random.bytes(32);
  const { signature, yParity } = nobleSecp256k1.sign(Hash(hash), random.bytes(32));
  return concatBytes(hash, bigintToBytes(BigInt(27 + yParity), 32), signature);
}

function modexpInput(base: number, exponent: number, modulus: number, parity: "odd" | "even"): Bytes {
  const parts = [base, exponent, modulus].map((length) => {
    const part = random.bytes(length).fill(0xff, 0, 1);
    part[length - 1]! |= 1;
    return part;
  });
  // Half of it is a power of two, which Montgomery's form has no answer for.
  if (parity === "even") parts[2]!.fill(0, Math.ceil(modulus / 2));
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

type Subject = readonly [precompile: string, variant: string, address: number, input: Bytes, fork?: Fork];

function* subjects(): Generator<Subject> {
  yield ["ecrecover", "", 0x01, recoverInput()];
  for (const length of [0, 32, 1024, 65_536]) {
    yield ["sha256", `${length} bytes`, 0x02, random.bytes(length)];
    yield ["ripemd160", `${length} bytes`, 0x03, random.bytes(length)];
    yield ["identity", `${length} bytes`, 0x04, random.bytes(length)];
  }
  yield* modexpSubjects();
  yield ["bn254 add", "", 0x06, repeat(2, () => randomBn254G1(random))];
  yield ["bn254 multiply", "", 0x07, concatBytes(randomBn254G1(random), random.bytes(32).fill(0xff, 0, 1))];
  for (const pairs of [0, 1, 2, 4, 16]) {
    const input = repeat(pairs, () => concatBytes(randomBn254G1(random), randomBn254G2(random)));
    yield ["bn254 pairing", `${pairs} pairs`, 0x08, input];
  }
  for (const rounds of [1, 12, 100_000]) yield ["blake2f", `${rounds} rounds`, 0x09, blake2fInput(rounds)];
  yield ["kzg point evaluation", "", 0x0a, pointEvaluationInput()];
  yield* blsSubjects();
  yield ["p256 verify", "", 0x100, p256Input()];
}

function* modexpSubjects(): Generator<Subject> {
  for (const [base, exponent, modulus] of [
    [1, 1, 1],
    [8, 4, 8],
    [8, 75, 8],
    [8, 1024, 8],
    [16, 18, 16],
    [16, 1024, 16],
    [32, 5, 32],
    [32, 32, 32],
    [32, 1024, 32],
    [40, 1024, 40],
    [64, 1024, 64],
    [128, 128, 128],
    [192, 1, 192],
    [256, 3, 256],
    [256, 256, 256],
    [1024, 1, 8],
    [1024, 1, 1024],
    [1024, 64, 1024],
  ] as const) {
    for (const parity of ["odd", "even"] as const) {
      const variant = `${base}, ${exponent}, ${modulus} bytes, ${parity}`;
      const input = modexpInput(base, exponent, modulus, parity);
      yield ["modexp until Osaka", variant, 0x05, input, "prague"];
      yield ["modexp from Osaka on", variant, 0x05, input, "osaka"];
    }
  }
}

function* blsSubjects(): Generator<Subject> {
  yield ["bls g1 add", "", 0x0b, repeat(2, () => randomBlsG1(random))];
  yield ["bls g2 add", "", 0x0d, repeat(2, () => randomBlsG2(random))];
  for (const terms of [1, 2, 3, 8, 32, 128, 256]) {
    const g1 = repeat(terms, () => concatBytes(randomBlsG1(random), random.bytes(32)));
    yield ["bls g1 msm", `${terms} terms`, 0x0c, g1];
    const g2 = repeat(terms, () => concatBytes(randomBlsG2(random), random.bytes(32)));
    yield ["bls g2 msm", `${terms} terms`, 0x0e, g2];
  }
  for (const pairs of [1, 2, 8, 32]) {
    const input = repeat(pairs, () => concatBytes(randomBlsG1(random), randomBlsG2(random)));
    yield ["bls pairing", `${pairs} pairs`, 0x0f, input];
  }
  yield ["bls map fp", "", 0x10, blsField(2n ** 380n)];
  yield ["bls map fp2", "", 0x11, concatBytes(blsField(2n ** 379n), blsField(2n ** 378n))];
}

/** The lower of two figures that other processes can only raise: the fastest of many batches by the clock, and the
 * processor time of all batches, which is coarse but does not count waiting. */
function measure(
  engines: Partial<Engines>,
  [name, variant, address, input, fork = "osaka"]: Subject,
): number {
  installEngines(engines);
  const call = (): void => {
    if (!runPrecompile(fork, address, input, 1n << 60n).ok)
      throw new Error(`${name} ${variant} must succeed`);
  };
  const elapsed = (calls: number): number => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) call();
    return performance.now() - start;
  };
  let calls = 1;
  for (const begin = performance.now(); performance.now() - begin < WARM_UP_MILLISECONDS; ) {
    if (elapsed(calls) < BATCH_MILLISECONDS) calls *= 2;
  }
  let fastest = Number.POSITIVE_INFINITY;
  let batches = 0;
  const cpuBegin = process.threadCpuUsage();
  const begin = performance.now();
  while (performance.now() - begin < MIN_MILLISECONDS) {
    fastest = Math.min(fastest, elapsed(calls) / calls);
    batches++;
  }
  const { user, system } = process.threadCpuUsage(cpuBegin);
  return Math.min(fastest * 1000, (user + system) / (batches * calls));
}

type Line = {
  readonly precompile: string;
  readonly variant: string;
  readonly gas: number;
  readonly referenceUs: number;
  readonly nativeUs: number;
  readonly referenceNsPerGas: number;
  readonly nativeNsPerGas: number;
  /** With the price of the call, which no caller avoids. */
  readonly nativeNsPerGasCalled: number;
};

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function lineOf(native: Engines, subject: Subject): Line {
  const [precompile, variant, address, input, fork = "osaka"] = subject;
  const result = runPrecompile(fork, address, input, 1n << 60n);
  const gas = result.ok ? Number(result.gasUsed) : 0;
  const referenceUs = measure(REFERENCE_ENGINES, subject);
  const nativeUs = measure(native, subject);
  return {
    precompile,
    variant,
    gas,
    referenceUs: round(referenceUs),
    nativeUs: round(nativeUs),
    referenceNsPerGas: round((referenceUs * 1000) / gas),
    nativeNsPerGas: round((nativeUs * 1000) / gas),
    nativeNsPerGasCalled: round((nativeUs * 1000) / (gas + CALL_GAS)),
  };
}

const wanted = process.argv.slice(2).filter((argument) => argument !== "--all");
const printsAll = process.argv.includes("--all");
const native = loadNativeCrypto();
const worst = new Map<string, Line>();
for (const subject of subjects()) {
  if (wanted.length > 0 && !wanted.some((name) => subject[0].includes(name))) continue;
  const line = lineOf(native, subject);
  if (printsAll) console.log(JSON.stringify(line));
  const known = worst.get(line.precompile);
  if (known === undefined || line.nativeNsPerGasCalled > known.nativeNsPerGasCalled)
    worst.set(line.precompile, line);
}
if (!printsAll) for (const line of worst.values()) console.log(JSON.stringify(line));
