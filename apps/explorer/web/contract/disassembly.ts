const PUSH1 = 0x60;
const PUSH32 = 0x7f;
const CODE_STEPS_AT_MOST = 60_000;
/** Names of opcodes by their number. Sources: Yellow Paper, appendix H; EIPs 145, 1014, 1052, 1153, 1344, 3198, 3855, 4399, 4844, 5656, 7516,
 * 7939. */
const NAMES: readonly (string | undefined)[] = namesOfOpcodes();

export type DisassembledStep = {
  /** Place in the code, in bytes. */
  readonly offset: number;
  readonly name: string;
  /** What a PUSH puts on the stack: hex digits with 0x. */
  readonly argument: string | undefined;
};

/** Reads bytecode instruction by instruction. Data that is no code (the compiler's metadata at the end) reads as instructions too.
 * @param code hex digits with 0x. */
export function disassemble(code: string): readonly DisassembledStep[] {
  const steps: DisassembledStep[] = [];
  const length = Math.floor((code.length - 2) / 2);
  const byteAt = (offset: number): number => Number.parseInt(code.slice(2 + 2 * offset, 4 + 2 * offset), 16);
  for (let offset = 0; offset < length && steps.length < CODE_STEPS_AT_MOST; ) {
    const opcode = byteAt(offset);
    const size = opcode >= PUSH1 && opcode <= PUSH32 ? opcode - PUSH1 + 1 : 0;
    const from = 2 + 2 * (offset + 1);
    const name = NAMES[opcode] ?? `INVALID(0x${opcode.toString(16).padStart(2, "0")})`;
    steps.push({ offset, name, argument: size === 0 ? undefined : `0x${code.slice(from, from + 2 * size)}` });
    offset += 1 + size;
  }
  return steps;
}

/** One line an instruction, the place in the code first. */
export function listing(code: string): string {
  return disassemble(code)
    .map(({ offset, name, argument }) =>
      `${offset.toString(16).padStart(5, "0")}  ${name}${argument === undefined ? "" : ` ${argument}`}`.trimEnd(),
    )
    .join("\n");
}

function namesOfOpcodes(): (string | undefined)[] {
  const names = new Array<string | undefined>(256).fill(undefined);
  const put = (first: number, text: string): void => {
    text.split(" ").forEach((name, index) => {
      names[first + index] = name;
    });
  };
  put(0x00, "STOP ADD MUL SUB DIV SDIV MOD SMOD ADDMOD MULMOD EXP SIGNEXTEND");
  put(0x10, "LT GT SLT SGT EQ ISZERO AND OR XOR NOT BYTE SHL SHR SAR CLZ");
  put(0x20, "KECCAK256");
  put(
    0x30,
    "ADDRESS BALANCE ORIGIN CALLER CALLVALUE CALLDATALOAD CALLDATASIZE CALLDATACOPY CODESIZE CODECOPY",
  );
  put(0x3a, "GASPRICE EXTCODESIZE EXTCODECOPY RETURNDATASIZE RETURNDATACOPY EXTCODEHASH");
  put(
    0x40,
    "BLOCKHASH COINBASE TIMESTAMP NUMBER PREVRANDAO GASLIMIT CHAINID SELFBALANCE BASEFEE BLOBHASH BLOBBASEFEE",
  );
  put(
    0x50,
    "POP MLOAD MSTORE MSTORE8 SLOAD SSTORE JUMP JUMPI PC MSIZE GAS JUMPDEST TLOAD TSTORE MCOPY PUSH0",
  );
  for (let size = 1; size <= 32; size++) names[PUSH1 + size - 1] = `PUSH${size}`;
  for (let depth = 1; depth <= 16; depth++) {
    names[0x7f + depth] = `DUP${depth}`;
    names[0x8f + depth] = `SWAP${depth}`;
  }
  put(0xa0, "LOG0 LOG1 LOG2 LOG3 LOG4");
  put(0xf0, "CREATE CALL CALLCODE RETURN DELEGATECALL CREATE2");
  names[0xfa] = "STATICCALL";
  put(0xfd, "REVERT INVALID SELFDESTRUCT");
  return names;
}
