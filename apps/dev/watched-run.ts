import { type Address, addressFromHex, type Bytes, equalBytes } from "@ostrom/base";
import type { PrecompileSet } from "@ostrom/vm";

/** Where Hardhat's and Foundry's console libraries send what they print: "console.log" in ASCII. */
export const CONSOLE_ADDRESS: Address = addressFromHex("0x000000000000000000636f6e736f6c652e6c6f67");

/** Keeps what is sent to the console's address. There is no contract, and no precompile either: gas is what it would be. */
export function watchConsole(calls: Bytes[]): (precompiles: PrecompileSet) => PrecompileSet {
  return ({ addresses, call }) => ({
    addresses,
    call: (address, input, gasLimit) => {
      if (equalBytes(address, CONSOLE_ADDRESS)) calls.push(input.slice());
      return call(address, input, gasLimit);
    },
  });
}
