import { assert, type Bytes, bigintToMinimalBytes, must } from "@ostrom/base";
import { describeOpcode } from "../instruction-set.ts";

const OPCODES: ReadonlyMap<string, number> = new Map(
  Array.from({ length: 256 }, (_, opcode) => [describeOpcode(opcode), opcode]),
);
const PUSH0 = 0x5f;

/** EVM code from names of instructions and from words, which become the shortest PUSH of them.
 * `assemble(2n, 1n, "ADD")` pushes 2, then 1, and adds. */
export function assemble(...parts: readonly (string | bigint)[]): Bytes {
  const code: number[] = [];
  for (const part of parts) {
    if (typeof part === "string") {
      code.push(must(OPCODES.get(part), `${part} must be an instruction`));
      continue;
    }
    const bytes = bigintToMinimalBytes(part);
    assert(bytes.length <= 32, "a word must fit into 32 bytes");
    code.push(PUSH0 + bytes.length, ...bytes);
  }
  return Uint8Array.from(code);
}

/** Code that ends by returning the word on top of the stack. */
export function returning(...parts: readonly (string | bigint)[]): Bytes {
  return assemble(...parts, 0n, "MSTORE", 32n, 0n, "RETURN");
}
