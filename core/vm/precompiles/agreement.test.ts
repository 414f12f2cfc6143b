import assert from "node:assert/strict";
import { test } from "node:test";
import { Common, Mainnet } from "@ethereumjs/common";
import { createAddressFromString } from "@ethereumjs/util";
import { createVM } from "@ethereumjs/vm";
import { p256 } from "@noble/curves/nist.js";
import { type Bytes, bigintToBytes, concatBytes, createRandom, Hash, type Random, toHex } from "@ostrom/base";
import { BLS_ORDER, nobleSecp256k1, SECP256K1_ORDER } from "@ostrom/crypto";
import type { Fork } from "../types.ts";
import { runPrecompile } from "./index.ts";
import {
  BLS_FIELD_ORDER,
  BN254_FIELD_ORDER,
  blsField,
  randomBlsG1,
  randomBlsG2,
  randomBn254G1,
  randomBn254G2,
  strayBlsG1,
  strayBlsG2,
  strayBn254G2,
} from "./testing/points.ts";

// Seeded inputs, honest and mutated, through @ethereumjs/vm and through our precompiles: gas and output must agree. KZG
// point evaluation has kzg-point-evaluation.fuzz.ts.

/** Low, so that a flipped bit in a number of rounds does not take seconds. */
const GAS_LIMIT = 600_000n;

type Subject = {
  readonly address: number;
  readonly forks: readonly Fork[];
  readonly cases: number;
  readonly input: (random: Random) => Bytes;
};

const ALL: readonly Fork[] = ["cancun", "osaka"];
const BLS: readonly Fork[] = ["prague"];
const OSAKA: readonly Fork[] = ["osaka"];

function pick<T>(random: Random, choices: readonly (() => T)[]): T {
  return choices[random.below(choices.length)]!();
}

function some(random: Random, most: number, part: () => Bytes): Bytes {
  return concatBytes(...Array.from({ length: random.below(most + 1) }, part));
}

function word(value: bigint): Bytes {
  return bigintToBytes(value, 32);
}

/** A scalar of any kind that groups treat differently. */
function scalar(random: Random, order: bigint): Bytes {
  return pick(random, [
    () => random.bytes(32),
    () => random.bytes(32),
    () => word(0n),
    () => word(1n),
    () => word(order),
    () => word(order - 1n),
    () => word(2n ** 256n - 1n),
  ]);
}

function signedHash(random: Random): Bytes {
  const hash = random.bytes(32);
  const { signature, yParity } = nobleSecp256k1.sign(Hash(hash), random.bytes(32));
  const edges = [0n, 1n, SECP256K1_ORDER - 1n, SECP256K1_ORDER].map(word);
  const edge = (valid: Bytes): Bytes => (random.chance(1, 4) ? edges[random.below(edges.length)]! : valid);
  const v = word(BigInt(random.chance(4, 5) ? 27 + yParity : random.below(30)));
  return concatBytes(hash, v, edge(signature.subarray(0, 32)), edge(signature.subarray(32)));
}

function modexpInput(random: Random): Bytes {
  const length = (): number =>
    pick(random, [() => random.below(40), () => random.below(40), () => random.below(300)]);
  const [base, exponent, modulus] = [length(), length(), length()];
  const claimed = [base, exponent, modulus].map((bytes) =>
    word(random.chance(1, 40) ? 1025n : random.chance(1, 40) ? 2n ** 64n : BigInt(bytes)),
  );
  const parts = [base, exponent, modulus].map((bytes) => {
    const part = random.bytes(bytes);
    // Leading zeros move the price of an exponent, and zeros all over make degenerate bases and moduli.
    if (random.chance(1, 3)) part.fill(0, 0, random.below(bytes + 1));
    return part;
  });
  return concatBytes(...claimed, ...parts);
}

function p256Input(random: Random): Bytes {
  const secret = random.bytes(32);
  const hash = random.bytes(32);
  const signature = p256.sign(hash, secret, { prehash: false, lowS: random.chance(1, 2) });
  return concatBytes(hash, signature, p256.getPublicKey(secret, false).subarray(1));
}

function blake2fInput(random: Random): Bytes {
  const input = random.bytes(213);
  input.set(bigintToBytes(BigInt(random.below(40)), 4));
  input[212] = random.below(random.chance(1, 8) ? 256 : 2);
  return input;
}

function bn254G1(random: Random): Bytes {
  return random.chance(1, 8) ? new Uint8Array(64) : randomBn254G1(random);
}

function bn254G2(random: Random): Bytes {
  return pick(random, [
    () => new Uint8Array(128),
    ...Array.from({ length: 6 }, () => () => randomBn254G2(random)),
    () => strayBn254G2(random),
  ]);
}

function blsG1(random: Random): Bytes {
  return pick(random, [
    () => new Uint8Array(128),
    ...Array.from({ length: 8 }, () => () => randomBlsG1(random)),
    () => strayBlsG1(random),
  ]);
}

function blsG2(random: Random): Bytes {
  return pick(random, [
    () => new Uint8Array(256),
    ...Array.from({ length: 8 }, () => () => randomBlsG2(random)),
    () => strayBlsG2(random),
  ]);
}

function blsElement(random: Random): Bytes {
  const edges = [0n, 1n, BLS_FIELD_ORDER - 1n, BLS_FIELD_ORDER, 2n ** 384n - 1n];
  return random.chance(1, 3)
    ? blsField(edges[random.below(edges.length)]!)
    : concatBytes(new Uint8Array(17), random.bytes(47));
}

const SUBJECTS: readonly Subject[] = [
  { address: 0x01, forks: ALL, cases: 100, input: signedHash },
  { address: 0x02, forks: ALL, cases: 50, input: (random) => random.bytes(random.below(300)) },
  { address: 0x03, forks: ALL, cases: 50, input: (random) => random.bytes(random.below(300)) },
  { address: 0x04, forks: ALL, cases: 50, input: (random) => random.bytes(random.below(300)) },
  { address: 0x05, forks: ALL, cases: 500, input: modexpInput },
  { address: 0x06, forks: ALL, cases: 60, input: (random) => concatBytes(bn254G1(random), bn254G1(random)) },
  {
    address: 0x07,
    forks: ALL,
    cases: 40,
    input: (random) => concatBytes(bn254G1(random), scalar(random, BLS_ORDER)),
  },
  {
    address: 0x08,
    forks: OSAKA,
    cases: 30,
    input: (random) => some(random, 3, () => concatBytes(bn254G1(random), bn254G2(random))),
  },
  { address: 0x09, forks: ALL, cases: 150, input: blake2fInput },
  { address: 0x0b, forks: BLS, cases: 80, input: (random) => concatBytes(blsG1(random), blsG1(random)) },
  {
    address: 0x0c,
    forks: BLS,
    cases: 60,
    input: (random) => some(random, 6, () => concatBytes(blsG1(random), scalar(random, BLS_ORDER))),
  },
  { address: 0x0d, forks: BLS, cases: 80, input: (random) => concatBytes(blsG2(random), blsG2(random)) },
  {
    address: 0x0e,
    forks: BLS,
    cases: 50,
    input: (random) => some(random, 4, () => concatBytes(blsG2(random), scalar(random, BLS_ORDER))),
  },
  {
    address: 0x0f,
    forks: BLS,
    cases: 40,
    input: (random) => some(random, 3, () => concatBytes(blsG1(random), blsG2(random))),
  },
  { address: 0x10, forks: BLS, cases: 60, input: blsElement },
  {
    address: 0x11,
    forks: BLS,
    cases: 30,
    input: (random) => concatBytes(blsElement(random), blsElement(random)),
  },
  { address: 0x100, forks: OSAKA, cases: 60, input: p256Input },
];

/** Leaves most inputs as they are; of the others it flips a bit, cuts, extends, or lifts a number over a field's order. */
function mutate(random: Random, input: Bytes): Bytes {
  const orders = [BN254_FIELD_ORDER, BLS_FIELD_ORDER];
  return pick(random, [
    () => input,
    () => input,
    () => input,
    () => {
      const flipped = input.slice();
      if (input.length > 0) flipped[random.below(input.length)]! ^= 1 << random.below(8);
      return flipped;
    },
    () => input.subarray(0, random.below(input.length + 1)),
    () => concatBytes(input, random.bytes(1 + random.below(70))),
    () => {
      const lifted = input.slice();
      const order = bigintToBytes(orders[random.below(2)]!, 48);
      const at = 16 * random.below(Math.max(1, Math.floor(input.length / 16) - 2));
      lifted.set(order.subarray(0, Math.max(0, input.length - at)), at);
      return lifted;
    },
  ]);
}

async function reference(fork: Fork): Promise<(address: number, input: Bytes) => Promise<string>> {
  const { evm } = await createVM({ common: new Common({ chain: Mainnet, hardfork: fork }) });
  return async (address, input) => {
    const to = createAddressFromString(toHex(bigintToBytes(BigInt(address), 20)));
    const { execResult } = await evm.runCall({ to, data: input, gasLimit: GAS_LIMIT });
    if (execResult.exceptionError !== undefined) return "failed";
    return `${execResult.executionGasUsed} ${toHex(execResult.returnValue)}`;
  };
}

function ours(fork: Fork, address: number, input: Bytes): string {
  const result = runPrecompile(fork, address, input, GAS_LIMIT);
  return result.ok ? `${result.gasUsed} ${toHex(result.output)}` : "failed";
}

for (const fork of ["cancun", "prague", "osaka"] as const) {
  test(`${fork}: gas and output agree with @ethereumjs/vm on honest and mutated inputs`, async () => {
    const theirs = await reference(fork);
    for (const { address, forks, cases, input } of SUBJECTS) {
      if (!forks.includes(fork)) continue;
      const random = createRandom(address);
      const outcomes = { failed: 0, empty: 0, full: 0 };
      for (let i = 0; i < cases; i++) {
        const data = mutate(random, input(random));
        const expected = await theirs(address, data);
        assert.equal(ours(fork, address, data), expected, `${address.toString(16)} ${toHex(data)}`);
        outcomes[expected === "failed" ? "failed" : expected.endsWith("0x") ? "empty" : "full"]++;
      }
      assert.ok(outcomes.full > 0, `${address.toString(16)}: ${JSON.stringify(outcomes)}`);
    }
  });
}
