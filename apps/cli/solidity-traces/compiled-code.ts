import { OP } from "@ostrom/vm";
import type { CodeOutput } from "./compiler-json.ts";
import type { SolidityContract } from "./contract-model.ts";
import type { SourceFile, SourceLocation } from "./source-file.ts";

/** How a jump relates to Solidity's functions. */
export type JumpKind = "into-function" | "out-of-function" | "other";

export type Instruction = {
  readonly programCounter: number;
  readonly opcode: number;
  readonly jump: JumpKind;
  /** undefined: code of the compiler's own. */
  readonly location: SourceLocation | undefined;
};

/** The creation code or the deployed code of a contract. */
export type CompiledCode = {
  readonly contract: SolidityContract;
  readonly isCreation: boolean;
  readonly bytes: Uint8Array;
  /** 0 where bytes of the chain may differ: immutables, addresses of libraries, hashes of metadata; else 1. */
  readonly mask: Uint8Array;
  /** @returns undefined outside the code that the compiler maps. */
  readonly instructionAt: (programCounter: number) => Instruction | undefined;
};

const ADDRESS_LENGTH = 20;
/** CBOR: text "ipfs", then a byte string of 34 bytes. Source: Solidity, "Contract Metadata". */
const IPFS_KEY = [0x64, 0x69, 0x70, 0x66, 0x73, 0x58, 0x22];
const IPFS_HASH_LENGTH = 34;
/** CBOR: text "bzzr1" or "bzzr0", then a byte string of 32 bytes. */
const SWARM_KEYS = [
  [0x65, 0x62, 0x7a, 0x7a, 0x72, 0x31, 0x58, 0x20],
  [0x65, 0x62, 0x7a, 0x7a, 0x72, 0x30, 0x58, 0x20],
];
const SWARM_HASH_LENGTH = 32;

/** @returns undefined if the contract has no code: an interface, or abstract. */
export function readCode(
  contract: SolidityContract,
  code: CodeOutput | undefined,
  files: ReadonlyMap<number, SourceFile>,
  isCreation: boolean,
): CompiledCode | undefined {
  const hex = (code?.object ?? "").replace(/^0x/, "").replace(/__.{36}__/g, "0".repeat(2 * ADDRESS_LENGTH));
  if (code === undefined || hex === "") return undefined;
  const bytes = Uint8Array.from(Buffer.from(hex, "hex"));
  const mask = maskOf(bytes, code, contract.isLibrary && !isCreation);
  let instructions: readonly (Instruction | undefined)[] | undefined;
  const instructionAt = (programCounter: number): Instruction | undefined => {
    instructions ??= readInstructions(bytes, code.sourceMap ?? "", files);
    return instructions[programCounter];
  };
  return { contract, isCreation, bytes, mask, instructionAt };
}

function maskOf(bytes: Uint8Array, code: CodeOutput, isLibrary: boolean): Uint8Array {
  const mask = new Uint8Array(bytes.length).fill(1);
  for (const file of Object.values(code.linkReferences ?? {}))
    for (const ranges of Object.values(file))
      for (const { start, length } of ranges) mask.fill(0, start, start + length);
  for (const ranges of Object.values(code.immutableReferences ?? {}))
    for (const { start, length } of ranges) mask.fill(0, start, start + length);
  // A deployed library begins with its own address, to know whether it was called directly.
  if (isLibrary && bytes[0] === OP.PUSH1 + ADDRESS_LENGTH - 1) mask.fill(0, 1, 1 + ADDRESS_LENGTH);
  maskAfter(bytes, mask, IPFS_KEY, IPFS_HASH_LENGTH);
  for (const key of SWARM_KEYS) maskAfter(bytes, mask, key, SWARM_HASH_LENGTH);
  return mask;
}

function maskAfter(bytes: Uint8Array, mask: Uint8Array, key: readonly number[], length: number): void {
  const needle = Uint8Array.from(key);
  const haystack = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, at + 1))
    mask.fill(0, at + key.length, at + key.length + length);
}

/** Source: Solidity, "Source Mappings": entries "start:length:file:jump", separated by ";", where an empty field repeats
 * the entry before. */
function readInstructions(
  bytes: Uint8Array,
  sourceMap: string,
  files: ReadonlyMap<number, SourceFile>,
): (Instruction | undefined)[] {
  const instructions: (Instruction | undefined)[] = [];
  let start = -1;
  let length = -1;
  let file = -1;
  let jump = "-";
  let programCounter = 0;
  for (const entry of sourceMap.split(";")) {
    const opcode = bytes[programCounter];
    if (opcode === undefined) break;
    const fields = entry.split(":");
    if (fields[0]) start = Number(fields[0]);
    if (fields[1]) length = Number(fields[1]);
    if (fields[2]) file = Number(fields[2]);
    if (fields[3]) jump = fields[3];
    const source = start < 0 || length < 0 ? undefined : files.get(file);
    instructions[programCounter] = {
      programCounter,
      opcode,
      jump: jump === "i" ? "into-function" : jump === "o" ? "out-of-function" : "other",
      location: source === undefined ? undefined : { file: source, start, end: start + length },
    };
    const isPush = opcode >= OP.PUSH1 && opcode <= OP.PUSH32;
    programCounter += 1 + (isPush ? opcode - OP.PUSH1 + 1 : 0);
  }
  return instructions;
}

/** Whether code on the chain is this code. Creation code may be followed by arguments. */
export function isCodeOf({ bytes, mask, isCreation }: CompiledCode, code: Uint8Array): boolean {
  if (isCreation ? code.length < bytes.length : code.length !== bytes.length) return false;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== code[at] && mask[at] === 1) return false;
  }
  return true;
}
