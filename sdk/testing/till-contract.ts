import { createRequire } from "node:module";
import type { Abi, Hex } from "viem";

/** Two contracts: one keeps money and tells of it, the other asks the first and the chain's own past. */
const SOURCE = `
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

contract Till {
  event Paid(address indexed from, address indexed to, uint256 amount);
  error Short(uint256 available, uint256 wanted);

  uint256 public total;
  mapping(address => uint256) public balanceOf;

  constructor() {
    total = 1000;
    balanceOf[msg.sender] = 1000;
  }

  function pay(address to, uint256 amount) external {
    uint256 available = balanceOf[msg.sender];
    if (available < amount) revert Short(available, amount);
    balanceOf[msg.sender] = available - amount;
    balanceOf[to] += amount;
    emit Paid(msg.sender, to, amount);
    emit Paid(to, msg.sender, 0);
  }
}

interface Asked { function balanceOf(address who) external view returns (uint256); }

contract Teller {
  function ask(Asked till, address[] calldata who, uint256 back) external view returns (uint256 sum, bytes32 past, uint256 coins) {
    for (uint256 i = 0; i < who.length; i++) sum += till.balanceOf(who[i]);
    past = blockhash(block.number - back);
    coins = msg.sender.balance;
  }
}`;

export type Compiled = { readonly abi: Abi; readonly bytecode: Hex };

type Output = {
  readonly contracts: Record<string, Record<string, { abi: Abi; evm: { bytecode: { object: string } } }>>;
};

let compiled: Output | undefined;

/** Compiles them, once in a process. */
export function tillContract(name: "Till" | "Teller"): Compiled {
  compiled ??= compile();
  const found = compiled.contracts["Till.sol"]?.[name];
  if (found === undefined) throw new Error("solc made no contract");
  return { abi: found.abi, bytecode: `0x${found.evm.bytecode.object}` };
}

function compile(): Output {
  const solc = createRequire(import.meta.url)("solc") as { compile: (input: string) => string };
  const input = {
    language: "Solidity",
    sources: { "Till.sol": { content: SOURCE } },
    settings: {
      evmVersion: "prague",
      optimizer: { enabled: true },
      outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
    },
  };
  return JSON.parse(solc.compile(JSON.stringify(input))) as Output;
}
