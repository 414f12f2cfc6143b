/** A call of a contract of Failures.sol, or its creation, that fails. */
export type FailureCase = {
  readonly name: string;
  readonly contract: string;
  /** undefined: with `data`, or a creation. */
  readonly call?: string;
  readonly arguments?: readonly unknown[];
  /** In place of a function's call data. */
  readonly data?: `0x${string}`;
  readonly isCreation?: true;
  readonly value?: bigint;
  readonly gas?: bigint;
};

/** Stands for the address of a deployed contract among arguments: "@Callee". */
const CALLEE = "@Callee";
const ONE_ETHER = 10n ** 18n;

function failing(call: string, ...values: readonly unknown[]): FailureCase {
  return { name: call, contract: "Failures", call, arguments: values };
}

function creating(name: string, contract: string, ...values: readonly unknown[]): FailureCase {
  return { name, contract, isCreation: true, arguments: values };
}

export const FAILURE_CASES: readonly FailureCase[] = [
  failing("requireReason", 1n),
  failing("requireNothing", 1n),
  failing("revertReason"),
  failing("revertNothing"),
  failing("customSimple"),
  failing("customArguments"),
  failing("customRequire", 1n),
  failing("assertion", 0n),
  failing("overflow", 1n),
  failing("division", 0n),
  failing("outOfBounds", 3n),
  failing("popEmpty"),
  failing("badEnum", 5n),
  failing("tooMuchMemory", 2n ** 64n),
  failing("zeroPointer"),
  failing("onlyTheOwner"),
  failing("twoModifiers", 101n),
  failing("twoModifiers", 1n),
  failing("internalChain", 7n),
  failing("recursion", 4n),
  failing("libraryInternal", 3n),
  failing("freeFunction", 3n),
  failing("inherited", 1n),
  failing("callFails", CALLEE),
  failing("callRefused", CALLEE),
  failing("callSilent", CALLEE),
  failing("callBurn", CALLEE),
  failing("callNobody"),
  failing("callWrong", "@Silent"),
  failing("callUnknownFunction", CALLEE),
  failing("sendTooMuch", CALLEE),
  failing("callLowLevel", CALLEE),
  failing("bubble", CALLEE),
  failing("caught", CALLEE),
  failing("createBad", 13n),
  failing("invalidOpcode"),
  failing("assemblyRevert"),
  { ...failing("burnAll"), gas: 200_000n },
  failing("precompileFails"),
  failing("decodeBad", "0x1234"),
  { ...failing("requireReason", 9n), name: "value to a non-payable function", value: 3n },
  { name: "unknown selector", contract: "Failures", data: "0xdeadbeef" },
  { name: "no data at all", contract: "Failures", data: "0x" },
  { name: "value and no data", contract: "Failures", data: "0x", value: 1n },
  { name: "arguments missing", contract: "Failures", data: "0x25c8f8e0" },
  { name: "address too large", contract: "Failures", data: `0x0e13e271${"f".repeat(64)}` },
  { name: "value to a fallback", contract: "WithFallback", data: "0x11223344", value: 1n },
  { name: "value without data to a fallback", contract: "WithFallback", data: "0x", value: 1n },
  { name: "inside a fallback", contract: "WithFallback", data: "0x11223344" },
  { name: "inside a receive function", contract: "WithReceive", data: "0x", value: 5n },
  { name: "data to a receive function", contract: "WithReceive", data: "0x11223344" },
  { name: "through a proxy", contract: "Proxy", data: `0x${"0".repeat(8)}`, value: 0n },
  { name: "public library", contract: "PublicLibraryUser", call: "half", arguments: [3n] },
  { name: "library called directly", contract: "Arithmetic", call: "publicHalf", arguments: [3n] },
  creating("constructor fails", "Failures", 99n),
  creating("constructor's function fails", "BadConstructor", 13n),
  { ...creating("value to a constructor", "BadConstructor", 1n), value: 1n },
  { ...creating("value to no constructor", "NoConstructorPay"), value: 1n },
  creating("constructor with text", "ArgumentConstructor", "text", 0n),
  { name: "constructor without arguments", contract: "ArgumentConstructor", isCreation: true },
  creating("code too large", "TooLarge"),
];

export const FUNDS_OF_CALLER: bigint = 1_000n * ONE_ETHER;
