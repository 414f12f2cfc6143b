import { createRequire } from "node:module";

/** Contracts that tests deploy and verify, compiled here by the solc of npm. */

export const EXAMPLE_SOURCE = `// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

library Doubling {
    function twice(uint256 value) external pure returns (uint256) { return 2 * value; }
}

contract Coin {
    string public name;
    string public symbol = "EXC";
    uint8 public constant decimals = 6;
    uint256 public totalSupply;
    address public immutable maker;
    mapping(address => uint256) public balanceOf;
    event Transfer(address indexed from, address indexed to, uint256 value);
    error TooLittle(uint256 needed);

    constructor(string memory name_, uint256 supply) {
        name = name_;
        maker = msg.sender;
        totalSupply = supply;
        balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        if (balanceOf[msg.sender] < value) revert TooLittle(value);
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
        return true;
    }

    function twice(uint256 value) external pure returns (uint256) { return Doubling.twice(value); }
}
`;

export const EXAMPLE_PATH = "contracts/Coin.sol";

/** @returns standard JSON input. */
export function exampleInput(source: string = EXAMPLE_SOURCE, runs = 200): object {
  return {
    language: "Solidity",
    sources: { [EXAMPLE_PATH]: { content: source } },
    settings: { optimizer: { enabled: true, runs }, evmVersion: "prague" },
  };
}

type Compiled = Readonly<
  Record<
    string,
    {
      readonly abi: readonly unknown[];
      readonly metadata: string;
      readonly evm: {
        readonly bytecode: {
          readonly object: string;
          readonly linkReferences: Readonly<
            Record<
              string,
              Readonly<Record<string, readonly { readonly start: number; readonly length: number }[]>>
            >
          >;
        };
        readonly deployedBytecode: { readonly object: string };
      };
    }
  >
>;

/** The contracts of the example, by name. */
export function compileExample(input: object = exampleInput()): Compiled {
  const solc = createRequire(import.meta.url)("solc") as { readonly compile: (input: string) => string };
  const { settings, ...rest } = input as { readonly settings: object };
  const output = JSON.parse(
    solc.compile(
      JSON.stringify({ ...rest, settings: { ...settings, outputSelection: { "*": { "*": ["*"] } } } }),
    ),
  ) as { readonly contracts: Readonly<Record<string, Compiled>> };
  return output.contracts[EXAMPLE_PATH]!;
}

/** Creation code in which every library has this address. @param code hex digits. */
export function linked(compiled: Compiled[string], library: string): `0x${string}` {
  const { object, linkReferences } = compiled.evm.bytecode;
  const ranges = Object.values(linkReferences).flatMap((names) => Object.values(names).flat());
  return `0x${ranges.reduce(
    (code, { start }) =>
      code.slice(0, 2 * start) + library.slice(2).toLowerCase() + code.slice(2 * start + 40),
    object,
  )}`;
}

/** The version that the installed compiler says it is. */
export function installedVersion(): string {
  const solc = createRequire(import.meta.url)("solc") as { readonly version: () => string };
  return solc.version().replace(".Emscripten.clang", "");
}
