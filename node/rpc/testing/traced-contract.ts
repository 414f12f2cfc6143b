import { createRequire } from "node:module";
import type { Abi, Hex } from "viem";

/** A contract that does all that a trace has a form for. */
const SOURCE = `
// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

contract Child {
  uint256 public number;
  event Changed(uint256 indexed number, string why);
  error Odd(uint256 number);

  constructor(uint256 first) payable { number = first; }

  function set(uint256 next) external payable returns (uint256) {
    number = next;
    emit Changed(next, "set");
    return next * 2;
  }
  function clear() external { number = 0; }
  function refuse() external { number = 99; emit Changed(99, "undone"); revert("not today"); }
  function refuseOdd(uint256 value) external pure { if (value % 2 == 1) revert Odd(value); }
  function spin() external view { while (gasleft() > 0) number; }
  function end(address payable heir) external { selfdestruct(heir); }
}

contract Parent {
  uint256 public number;
  Child public child;
  event Changed(uint256 indexed number, string why);
  event Seen(address indexed who, bytes data);

  constructor() payable { child = new Child(7); }
  receive() external payable {}

  function all(uint256 value) external payable {
    emit Seen(msg.sender, "begin");
    child.set{value: msg.value / 2}(value);
    emit Seen(address(child), "between");
    (bool done,) = address(child).delegatecall(abi.encodeCall(Child.set, (value + 1)));
    require(done);
    (done,) = address(child).staticcall(abi.encodeWithSignature("number()"));
    (done,) = address(child).call(abi.encodeCall(Child.refuse, ()));
    (done,) = address(child).call(abi.encodeCall(Child.refuseOdd, (3)));
    (done,) = address(child).call{gas: 3000}(abi.encodeCall(Child.spin, ()));
    (done,) = address(child).staticcall{gas: 50000}(abi.encodeCall(Child.set, (1)));
    sha256(abi.encode(value));
    Child salted = new Child{salt: bytes32(value), value: 1}(value);
    salted.end(payable(address(0xdead)));
    child.clear();
    payable(address(0xbeef)).transfer(1);
  }
  function fails(uint256 kind) external {
    if (kind == 0) child.refuse();
    if (kind == 1) child.refuseOdd(5);
    if (kind == 2) assert(false);
    if (kind == 3) assembly { invalid() }
    child.spin();
  }
}`;

export type TracedContracts = { readonly abi: Abi; readonly bytecode: Hex };

type Output = {
  readonly contracts?: Record<string, Record<string, { abi: Abi; evm: { bytecode: { object: string } } }>>;
};

/** Compiles it: the parent, which makes its children itself. */
export function tracedContract(): TracedContracts {
  const solc = createRequire(import.meta.url)("solc") as { compile: (input: string) => string };
  const input = {
    language: "Solidity",
    sources: { "Traced.sol": { content: SOURCE } },
    settings: {
      optimizer: { enabled: true },
      outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as Output;
  const contract = output.contracts?.["Traced.sol"]?.Parent;
  if (contract === undefined) throw new Error(`solc: ${JSON.stringify(output)}`);
  return { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}` };
}
