import { createRequire } from "node:module";
import type { Abi, Hex } from "viem";

const require = createRequire(import.meta.url);

/** A contract that calls another one, keeps a number, emits an event, and fails when it is asked to. */
const SOURCE = `// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

contract Ledger {
  error TooMuch(uint256 wanted, uint256 most);
  event Written(address indexed by, uint256 value);
  uint256 public value;

  function write(uint256 next) external returns (uint256 before) {
    if (next > 100) revert TooMuch(next, 100);
    before = value;
    value = next;
    emit Written(msg.sender, next);
  }
}

contract Writer {
  Ledger public immutable ledger = new Ledger();
  uint256 public writes;

  function set(uint256 next) external {
    writes += 1;
    ledger.write(next);
  }
}
`;
const FILE = "Writer.sol";

type SolcOutput = {
  readonly contracts: Record<
    string,
    Record<string, { readonly abi: Abi; readonly evm: { readonly bytecode: { readonly object: string } } }>
  >;
};

/** Compiles it with npm's solc. */
export function compileWriter(): { readonly abi: Abi; readonly bytecode: Hex } {
  const solc = require("solc") as { readonly compile: (input: string) => string };
  const input = {
    language: "Solidity",
    sources: { [FILE]: { content: SOURCE } },
    settings: { outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } } },
  };
  const { contracts } = JSON.parse(solc.compile(JSON.stringify(input))) as SolcOutput;
  const { abi, evm } = contracts[FILE]!["Writer"]!;
  return { abi, bytecode: `0x${evm.bytecode.object}` };
}
