import { addressFromWord, addressToWord } from "@ostrom/base";
import {
  CRYPTOGRAPHY_PRECOMPILES,
  callPrecompile,
  isPrecompile,
  precompileAddresses,
  runPrecompile,
} from "./precompiles/index.ts";
import type { Fork, PrecompileSet } from "./types.ts";

const SETS: Readonly<Record<Fork, PrecompileSet>> = {
  cancun: setOf("cancun"),
  prague: setOf("prague"),
  osaka: setOf("osaka"),
};

const CRYPTOGRAPHY_SETS: Readonly<Record<Fork, PrecompileSet>> = {
  cancun: withCryptography(SETS.cancun),
  prague: withCryptography(SETS.prague),
  osaka: withCryptography(SETS.osaka),
};

/** Ethereum's precompiles of a fork. */
export function forkPrecompiles(fork: Fork): PrecompileSet {
  return SETS[fork];
}

/** Ethereum's precompiles of a fork, the verification of each signature scheme, and SM3: what a chain has whose accounts have key sets. */
export function cryptographyPrecompiles(fork: Fork): PrecompileSet {
  return CRYPTOGRAPHY_SETS[fork];
}

function setOf(fork: Fork): PrecompileSet {
  return {
    addresses: precompileAddresses(fork),
    call: (address, input, gasLimit) => {
      const word = addressToWord(address);
      return isPrecompile(fork, word) ? runPrecompile(fork, word, input, gasLimit) : undefined;
    },
  };
}

function withCryptography(ethereum: PrecompileSet): PrecompileSet {
  return {
    addresses: [...ethereum.addresses, ...[...CRYPTOGRAPHY_PRECOMPILES.keys()].map(addressFromWord)],
    call: (address, input, gasLimit) => {
      // Every call of a contract asks; all precompiles lie low.
      if (address[0] !== 0) return undefined;
      const added = CRYPTOGRAPHY_PRECOMPILES.get(addressToWord(address));
      return added === undefined
        ? ethereum.call(address, input, gasLimit)
        : callPrecompile(added, input, gasLimit);
    },
  };
}
