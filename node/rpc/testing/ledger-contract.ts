import { createRequire } from "node:module";
import type { Abi, Hex } from "viem";

/** A contract with all that a client must be able to decode: events, a custom error, a reason, a panic. */
const SOURCE = `
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

contract Ledger {
  event Moved(address indexed from, address indexed to, uint256 amount, string note);
  error Insufficient(uint256 available, uint256 wanted);

  uint256 public total;
  mapping(address => uint256) public balanceOf;

  constructor(uint256 supply) payable {
    total = supply;
    balanceOf[msg.sender] = supply;
    emit Moved(address(0), msg.sender, supply, "created");
  }

  function move(address to, uint256 amount, string calldata note) external {
    uint256 available = balanceOf[msg.sender];
    if (available < amount) revert Insufficient(available, amount);
    balanceOf[msg.sender] = available - amount;
    balanceOf[to] += amount;
    emit Moved(msg.sender, to, amount, note);
  }

  function refuse() external pure { revert("not today"); }
  function divide(uint256 by) external pure returns (uint256) { return 1 / by; }
  function spin() external view returns (uint256 n) { while (gasleft() > 0) n++; }
  function surroundings() external view returns (uint256, uint256, address, uint256) {
    return (block.number, block.timestamp, msg.sender, block.chainid);
  }
}`;

export type Compiled = { readonly abi: Abi; readonly bytecode: Hex };

let compiled: Compiled | undefined;

/** Compiles it, once in a process. */
export function ledgerContract(): Compiled {
  compiled ??= compile();
  return compiled;
}

type Output = {
  readonly contracts: Record<string, Record<string, { abi: Abi; evm: { bytecode: { object: string } } }>>;
};

function compile(): Compiled {
  const solc = createRequire(import.meta.url)("solc") as { compile: (input: string) => string };
  const input = {
    language: "Solidity",
    sources: { "Ledger.sol": { content: SOURCE } },
    settings: {
      optimizer: { enabled: true },
      outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as Output;
  const contract = output.contracts["Ledger.sol"]?.Ledger;
  if (contract === undefined) throw new Error(`solc: ${JSON.stringify(output)}`);
  return { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` };
}
