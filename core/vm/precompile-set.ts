import { addressToWord } from "@ostrom/base";
import { isPrecompile, precompileAddresses, runPrecompile } from "./precompiles/index.ts";
import type { Fork, PrecompileSet } from "./types.ts";

const SETS: Readonly<Record<Fork, PrecompileSet>> = {
  cancun: setOf("cancun"),
  prague: setOf("prague"),
  osaka: setOf("osaka"),
};

/** Ethereum's precompiles of a fork. */
export function forkPrecompiles(fork: Fork): PrecompileSet {
  return SETS[fork];
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
