import { type Address, addressToWord, type Bytes, concatBytes, EMPTY_BYTES } from "@ostrom/base";
import { programInitCode } from "../../contract-host/code-format.ts";
import { MAX_CHUNK_BYTES } from "../../contract-host/program-gas.ts";
import { type RoleName, roleCode, TEST_KINDS, type TestKind } from "../../contract-host/testing/roles.ts";
import { CODE_PREFIX, KIND_BYTE } from "../../contract-host/types.ts";
import { delegationDesignator } from "../../delegation.ts";
import { assemble } from "../../testing/assemble.ts";
import { contractModule } from "../../webassembly/testing/contract-module.ts";
import { contractCode } from "../../webassembly/testing/run-contract.ts";
import { BOUNDLESS_GAS, type HostileCase, hostileAddress, MOST_GAS } from "./hostile-case.ts";
import { forwardingFile, hoarder, roundCode } from "./hostile-contracts.ts";
import { bombNamed, CREATING_LOOP, endless, LARGEST_INIT_CODE } from "./hostile-evm.ts";

/** Messages that go to the ends of what rules, memory and stacks allow. */

const [FIRST, SECOND, THIRD]: readonly Address[] = [1, 2, 3].map(hostileAddress) as [
  Address,
  Address,
  Address,
];
const WORD_OF_SECOND = addressToWord(SECOND!);

const ROUNDS: readonly (readonly [trapsAfter: boolean, kinds: readonly [TestKind, TestKind, TestKind]])[] = [
  [false, ["evm", "webassembly", "riscv"]],
  [false, ["webassembly", "webassembly", "webassembly"]],
  [false, ["riscv", "riscv", "riscv"]],
  [true, ["evm", "webassembly", "riscv"]],
];

/** To the last frame that there may be, each as deep inside as it may be. */
export function deepCases(): HostileCase[] {
  return ROUNDS.map(([trapsAfter, kinds]): HostileCase => {
    const places = [FIRST!, SECOND!, THIRD!];
    return {
      name: `${kinds.join(", ")} call each other${trapsAfter ? ", and trap one after the other" : ""}`,
      contracts: places.map((address, index) => [address, roundCode(kinds[index]!, trapsAfter)] as const),
      data: concatBytes(SECOND!, THIRD!, FIRST!),
      gas: BOUNDLESS_GAS,
    };
  });
}

function hoardingCases(): HostileCase[] {
  return TEST_KINDS.map((kind) => ({
    name: `${kind}: all memory in every frame`,
    contracts: [[FIRST!, hoarder(kind)]],
    gas: MOST_GAS,
  }));
}

const SMALL_GAS = 400_000n;

function bombCases(): HostileCase[] {
  const bomb = (
    name: string,
    first: Bytes,
    second: Bytes = EMPTY_BYTES,
    data: Bytes = EMPTY_BYTES,
  ): HostileCase => ({
    name,
    contracts: [
      [FIRST!, first],
      [SECOND!, second],
    ],
    data,
    gas: SMALL_GAS,
  });
  const callSecond = [0n, 0n, 0n, 0n, WORD_OF_SECOND, "GAS", "STATICCALL", "POP"];
  const grown = contractModule([], (code) => code.i32Const(1).memoryGrow().drop().i32Const(0), {
    minimum: 1,
    maximum: 64,
  });
  const initCode = new Uint8Array(LARGEST_INIT_CODE).fill(0x5b);
  return [
    bomb(
      "what is returned is as long as gas allows",
      endless([], ...callSecond, "RETURNDATASIZE", 0n, 0n, "RETURNDATACOPY"),
      assemble(30_000n, 0n, "RETURN"),
    ),
    bomb(
      "what is reverted with is as long as gas allows",
      endless([], ...callSecond, "RETURNDATASIZE", 0n, 0n, "RETURNDATACOPY"),
      assemble(30_000n, 0n, "REVERT"),
    ),
    bomb("logs as long as gas allows", endless([], 1n, 2n, 3n, 4n, 500n, 0n, "LOG4")),
    bomb(
      "much input for nobody",
      endless([1n, 60_000n, "MSTORE"], 0n, 0n, 60_000n, 0n, 99n, "GAS", "STATICCALL", "POP"),
    ),
    bomb(
      "much input for a contract that stops",
      endless([1n, 60_000n, "MSTORE"], 0n, 0n, 60_000n, 0n, WORD_OF_SECOND, "GAS", "STATICCALL", "POP"),
      assemble("STOP"),
    ),
    bomb(
      "much input for a cheap precompile",
      endless([1n, 60_000n, "MSTORE"], 0n, 0n, 60_000n, 0n, 6n, "GAS", "STATICCALL", "POP"),
    ),
    ...["nobody", "a contract that stops", "a cheap precompile"].map((whom, index) => {
      const size = 2n ** 20n;
      const to = [99n, WORD_OF_SECOND, 6n][index]!;
      const code = endless([1n, size, "MSTORE"], 0n, 0n, size, 0n, to, "GAS", "STATICCALL", "POP");
      // Most of it is for the memory.
      return { ...bomb(`a mebibyte of input for ${whom}`, code, assemble("STOP")), gas: 2_400_000n };
    }),
    bomb("a module that grows, again and again", endless([], ...callSecond), contractCode(grown)),
    bomb("init code of jump destinations, again and again", CREATING_LOOP, EMPTY_BYTES, initCode),
    bomb("init code that creates its like", CREATING_LOOP, EMPTY_BYTES, CREATING_LOOP),
    bomb(
      "a program that is none, created again and again",
      CREATING_LOOP,
      EMPTY_BYTES,
      programInitCode("webassembly", new Uint8Array(1000)),
    ),
    bomb(
      "a program created again and again",
      CREATING_LOOP,
      EMPTY_BYTES,
      programInitCode("webassembly", grown),
    ),
    bomb(
      "calls of 24 KB of jump destinations",
      endless([], ...callSecond),
      bombNamed("jump destinations alone"),
    ),
  ];
}

/** Contracts that are destroyed while they run, delegate to other kinds, and accounts that delegate to programs. */
function stateCases(): HostileCase[] {
  const at = (number: number, role: RoleName, kind: TestKind) =>
    [hostileAddress(number), roleCode(role, kind)] as const;
  const cases: HostileCase[] = [];
  for (const kind of TEST_KINDS) {
    for (const other of TEST_KINDS) {
      const send = (name: string, contracts: HostileCase["contracts"], data: Bytes): void => {
        cases.push({ name: `${kind}, ${other}: ${name}`, contracts, data, gas: 3_000_000n, value: 3n });
      };
      send(
        "destroyed by its delegate, and goes on",
        [at(1, "delegateCall", kind), at(2, "destroy", other)],
        concatBytes(SECOND!, THIRD!),
      );
      send(
        "destroyed by its delegate's delegate",
        [at(1, "delegateCall", kind), at(2, "delegateCall", other), at(3, "destroy", kind)],
        concatBytes(SECOND!, THIRD!, FIRST!),
      );
      send(
        "calls itself until the gas is gone",
        [at(1, "call", kind), at(2, "call", other)],
        concatBytes(...Array.from({ length: 60 }, () => [SECOND!, FIRST!]).flat()),
      );
      send(
        "a static call that stores, inside",
        [at(1, "staticCall", kind), at(2, "call", other), at(3, "store", kind)],
        concatBytes(SECOND!, THIRD!, new Uint8Array(64).fill(7)),
      );
      const account = delegationDesignator(THIRD!);
      send(
        "an account that delegates to a program",
        [at(1, "call", kind), [SECOND!, account], at(3, "store", other)],
        concatBytes(SECOND!, new Uint8Array(64).fill(9)),
      );
      send(
        "an account that delegates to one that delegates to it",
        [at(1, "call", kind), [SECOND!, account], [THIRD!, delegationDesignator(SECOND!)]],
        concatBytes(SECOND!, FIRST!),
      );
      send(
        "an account that delegates to itself, reached by a delegate",
        [at(1, "delegateCall", kind), [SECOND!, delegationDesignator(SECOND!)], at(3, "store", other)],
        concatBytes(SECOND!, FIRST!),
      );
    }
  }
  return cases;
}

function brokenCodeCases(): HostileCase[] {
  const codes: readonly (readonly [string, Bytes])[] = [
    ["the prefix alone", Uint8Array.of(0xef, 0x0a)],
    ["a kind that is none", Uint8Array.of(0xef, 0x0a, 0x7f, 1, 2, 3)],
    ["a chunk", Uint8Array.of(0xef, 0x0a, 0, 1, 2, 3)],
    ["an empty module", Uint8Array.of(0xef, 0x0a, 1)],
    ["an empty file", Uint8Array.of(0xef, 0x0a, 2)],
    ["a manifest of nothing", Uint8Array.of(0xef, 0x0a, 0x81)],
    ["a manifest of itself", concatBytes(Uint8Array.of(0xef, 0x0a, 0x82), SECOND!)],
    ["a manifest cut off", concatBytes(Uint8Array.of(0xef, 0x0a, 0x82), SECOND!.subarray(1))],
    ["a manifest of its caller", concatBytes(Uint8Array.of(0xef, 0x0a, 0x81), FIRST!)],
  ];
  return codes.flatMap(([name, code]) =>
    TEST_KINDS.map(
      (kind): HostileCase => ({
        name: `${kind} calls ${name}`,
        contracts: [
          [FIRST!, roleCode("call", kind)],
          [SECOND!, code],
        ],
        data: concatBytes(SECOND!, new Uint8Array(5)),
        gas: 500_000n,
      }),
    ),
  );
}

/** A program looks at its input only after a child has taken so much memory that V8 moves all of it. */
function movedMemoryCases(): HostileCase[] {
  const forward = assemble(
    ...[
      "CALLDATASIZE",
      0n,
      0n,
      "CALLDATACOPY",
      64n,
      0n,
      "CALLDATASIZE",
      0n,
      0n,
      WORD_OF_SECOND,
      "GAS",
      "CALL",
    ],
    ...["POP", 64n, 0n, "RETURN"],
  );
  const lateReader = contractModule(["call", "input_copy", "output"], (code, { host }) => {
    for (const [index, byte] of THIRD!.entries())
      code
        .i32Const(1000 + index)
        .i32Const(byte)
        .i32Store8();
    code.i64Const(-1).i32Const(1000).i32Const(2000).i32Const(0).i32Const(0).call(host.call).drop();
    code.i32Const(0).i32Const(0).i32Const(64).call(host.input_copy);
    code.i32Const(0).i32Const(64).call(host.output).i32Const(0);
  });
  return [20n, 24n, 27n].map((bits) => ({
    name: `input that is read after 2^${bits} bytes of memory were taken`,
    contracts: [
      [FIRST!, forward],
      [SECOND!, contractCode(lateReader)],
      [THIRD!, assemble(1n, 2n ** bits, "MSTORE")],
    ],
    data: new Uint8Array(64).fill(0x3c),
    gas: BOUNDLESS_GAS,
  }));
}

/** All that end soon. */
export function quickCases(): HostileCase[] {
  return [...hoardingCases(), ...bombCases(), ...movedMemoryCases(), ...stateCases(), ...brokenCodeCases()];
}

/** 3 MB of decoded instructions each, where there is room for 128. */
const CROWD = 45;

/** Programs of the largest size, one inside the other, of the same chunks: more decoded instructions than there is room for.
 * A node runs such a message in the reference. */
export function crowdedCase(): HostileCase {
  const file = forwardingFile(770_000);
  const chunks = Array.from({ length: Math.ceil(file.length / MAX_CHUNK_BYTES) }, (_, index) => {
    const part = file.subarray(index * MAX_CHUNK_BYTES, (index + 1) * MAX_CHUNK_BYTES);
    return [
      hostileAddress(1000 + index),
      concatBytes(Uint8Array.of(...CODE_PREFIX, KIND_BYTE.chunk), part),
    ] as const;
  });
  const last = chunks.pop()![1];
  const lasts = Array.from({ length: CROWD }, (_, index) => [hostileAddress(2000 + index), last] as const);
  const programs = lasts.map(([address], index) => {
    const addresses = [...chunks, [address]].map(([chunk]) => chunk!);
    const manifest = concatBytes(Uint8Array.of(...CODE_PREFIX, KIND_BYTE.riscvManifest), ...addresses);
    return [hostileAddress(index), manifest] as const;
  });
  return {
    name: "more decoded instructions than there is room for",
    contracts: [...programs, ...chunks, ...lasts],
    data: concatBytes(...programs.slice(1).map(([address]) => address)),
    gas: BOUNDLESS_GAS,
  };
}
