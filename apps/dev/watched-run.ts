import { type Address, addressFromHex, type Bytes, equalBytes, utf8 } from "@ostrom/base";
import type { PrecompileSet } from "@ostrom/vm";

/** Where Hardhat's and Foundry's console libraries send what they print: "console.log" in ASCII. */
export const CONSOLE_ADDRESS: Address = addressFromHex("0x000000000000000000636f6e736f6c652e6c6f67");
const CONSOLE_NAME: Bytes = utf8("console.log");

const watching = new WeakSet<PrecompileSet>();

/** Keeps what is sent to the console's address. There is no contract, and no precompile either: gas is what it would be. */
export function watchConsole(calls: Bytes[]): (precompiles: PrecompileSet) => PrecompileSet {
  return ({ addresses, call }) => {
    const watched: PrecompileSet = {
      addresses,
      call: (address, input, gasLimit) => {
        if (equalBytes(address, CONSOLE_ADDRESS)) calls.push(input.slice());
        return call(address, input, gasLimit);
      },
    };
    watching.add(watched);
    return watched;
  };
}

/** Whether calls of the console are kept, which are seen by the reference alone: no engine asks precompiles for other addresses. */
export function isWatchingConsole(precompiles: PrecompileSet | undefined): boolean {
  return precompiles !== undefined && watching.has(precompiles);
}

/** Whether contracts of a chain may call the console: not before somebody brings its address there. */
export class ConsoleUse {
  #isPossible = false;

  get isPossible(): boolean {
    return this.#isPossible;
  }

  /** Looks at what comes to the chain: code, or what code is made of. */
  look(bytes: Bytes | undefined): void {
    if (this.#isPossible || bytes === undefined || bytes.length < CONSOLE_NAME.length) return;
    const { buffer, byteOffset, length } = bytes;
    this.#isPossible = Buffer.from(buffer, byteOffset, length).includes(CONSOLE_NAME);
  }

  /** Where nobody has looked at all that is there. */
  expect(): void {
    this.#isPossible = true;
  }

  /** As `watchConsole`, if there is anything to watch. */
  watch(calls: Bytes[]): ((precompiles: PrecompileSet) => PrecompileSet) | undefined {
    return this.#isPossible ? watchConsole(calls) : undefined;
  }
}
