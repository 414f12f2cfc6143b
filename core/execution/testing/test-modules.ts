import {
  type Address,
  addressFromHex,
  addressToWord,
  type Bytes,
  bytesToBigint,
  type Hash,
  hashFromWord,
  hex,
  wordToBytes,
} from "@ostrom/base";
import { keccak256, SCHEME_BLS12381 } from "@ostrom/crypto";
import type { ChainModule } from "../chain-module.ts";
import { defineModule, type InstalledModules, installModules } from "../installed-modules.ts";
import type { Validator } from "../validator-set.ts";
import { testValidator } from "./test-chain.ts";

/** Modules of a few instructions each, for tests of the seam. */

export const COUNTER: Address = addressFromHex("00000000000000000000000000000000000c0de1");
export const GATE: Address = addressFromHex("00000000000000000000000000000000000c0de2");
export const SETS: Address = addressFromHex("00000000000000000000000000000000000c0de3");
export const DOUBLER: Address = addressFromHex("00000000000000000000000000000000000c0de4");

/** Slot 0 of the counter's contract counts its calls, by 1 in version 1 and by 0x100 in version 2; the slot of a block's number holds how
 * long the last call's data was. */
const COUNT_BY_1 = hex("60016000540160005536435500");
const COUNT_BY_256 = hex("610100600054016000553643" + "5500");
/** From here on, the contract's slots at a height say which hooks have run there. */
export const BEGUN_SLOT = 1_000_000n;
export const SEALED_SLOT = 2_000_000n;

export function installed(modules: readonly ChainModule[]): InstalledModules {
  return installModules(modules);
}

/** Counts its activations; notes its hooks, and the next epoch where it is told one. */
export function counter(version: 1 | 2, parts: Partial<ChainModule> = {}): ChainModule {
  return defineModule({
    name: "counter",
    version,
    contracts: [{ address: COUNTER, code: version === 1 ? COUNT_BY_1 : COUNT_BY_256 }],
    activates: COUNTER,
    beginBlock: ({ state, height }) =>
      state.setStorage(COUNTER, BEGUN_SLOT + BigInt(height), BigInt(version)),
    sealEpoch: ({ state, height }, nextEpoch) =>
      state.setStorage(COUNTER, SEALED_SLOT + BigInt(height), BigInt(nextEpoch)),
    ...parts,
  });
}

/** SSTORE(first word of the data, second word). */
const WRITER = hex("602035600035" + "5500");

/** Refuses those whose address is a slot of its contract that is not 0; anybody may write there. In version 2 nobody creates contracts
 * besides. It has no `activate`. */
export function gate(version: 1 | 2 = 1): ChainModule {
  return defineModule({
    name: "gate",
    version,
    contracts: [{ address: GATE, code: WRITER }],
    permits: (state, { sender, to }) => {
      if (state.storage(GATE, addressToWord(sender)) !== 0n) return { reason: "suspended" };
      return version === 2 && to === undefined ? { reason: "no contracts" } : undefined;
    },
  });
}

/** Data for `gate` and `sets` that write a word to a slot. */
export function writeData(slot: bigint, value: bigint): Bytes {
  return Uint8Array.from([...wordToBytes(slot), ...wordToBytes(value)]);
}

/** The sets module's answer is in slot 0 of its contract: 0: none; otherwise a bit for each test validator. Bit 255 spoils the keys'
 * proofs, bit 254 takes all weights away. Slot 1 is the leader seed. */
export const SPOIL_PROOFS: bigint = 1n << 255n;
export const NO_WEIGHTS: bigint = 1n << 254n;
const TEST_VALIDATORS = 8;

export function sets(name = "sets", address: Address = SETS): ChainModule {
  return defineModule({
    name,
    version: 1,
    contracts: [{ address, code: WRITER }],
    validatorSet: (state) => {
      const answer = state.storage(address, 0n);
      if (answer === 0n) return undefined;
      const validators = Array.from({ length: TEST_VALIDATORS }, (_, index) => testValidator(index)).filter(
        (_, index) => ((answer >> BigInt(index)) & 1n) === 1n,
      );
      const seed = state.storage(address, 1n);
      return {
        set: { schemeId: SCHEME_BLS12381, validators: validators.map((each) => spoil(each, answer)) },
        leaderSeed: seed === 0n ? undefined : hashFromWord(seed),
      };
    },
  });
}

function spoil(validator: Validator, answer: bigint): Validator {
  return {
    ...validator,
    ...((answer & SPOIL_PROOFS) === 0n ? {} : { proofOfPossession: new Uint8Array(96) }),
    ...((answer & NO_WEIGHTS) === 0n ? {} : { weight: 0 as Validator["weight"] }),
  };
}

/** A precompile that answers its 32 bytes of input twice over, for 100 gas; it refuses other lengths. */
export function doubler(parts: Partial<ChainModule> = {}): ChainModule {
  return defineModule({
    name: "doubler",
    version: 1,
    contracts: [],
    precompiles: [
      {
        address: DOUBLER,
        gas: () => 100n,
        run: (input) =>
          input.length === 32 ? wordToBytes(BigInt.asUintN(256, 2n * bytesToBigint(input))) : undefined,
      },
    ],
    ...parts,
  });
}

/** Names something that no program has. */
export function foreignHash(seed: number): Hash {
  return keccak256(wordToBytes(BigInt(seed)));
}
