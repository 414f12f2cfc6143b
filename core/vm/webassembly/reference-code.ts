import { must } from "@ostrom/base";
import {
  EMPTY_BLOCK_TYPE,
  type FunctionType,
  I32,
  InstructionReader,
  OPCODE,
  readLocals,
} from "@ostrom/wasm";
import { FRAME_SLOTS } from "../contract-host/program-gas.ts";
import { PROGRAM_SUBSET } from "./contract-limits.ts";
import type { Contract } from "./read-contract.ts";
import type { Value } from "./reference-arithmetic.ts";

/** An instruction with its immediates. */
export type Instruction = {
  readonly opcode: number;
  readonly index: number;
  readonly offset: number;
  /** Of an `i64.const`. */
  readonly long: bigint;
  /** Labels of a `br_table`. */
  readonly targets: readonly number[];
  /** Charged before it runs: that of the block which begins with it. */
  fuel: number;
  /** Of a block, loop, if or else: where its end is. Of an if: where its else is, if it has one. */
  end: number;
  else: number | undefined;
};

export type ReferenceFunction = {
  readonly type: FunctionType;
  /** What locals beyond the parameters begin with. */
  readonly zeros: readonly Value[];
  /** Slots of static stack that a call holds. */
  readonly slots: number;
  readonly instructions: readonly Instruction[];
};

/** Reads a function's body for the reference.
 * @param place among the functions with a body. */
export function readFunction(contract: Contract, place: number): ReferenceFunction {
  const { module, extents } = contract;
  const type = must(
    module.types[module.functionTypes[module.importedFunctionCount + place]!],
    "a valid module has the types of its functions",
  );
  const extent = must(extents[place], "a valid module has extents of its functions");
  const reader = new InstructionReader(module, PROGRAM_SUBSET);
  const end = module.bodies[2 * place + 1]!;
  reader.seek(module.bodies[2 * place]!, end);
  const locals: number[] = [];
  const count = readLocals(reader, type, PROGRAM_SUBSET, locals);
  const fuelAt = new Map(contract.fuel[place]!.blocks.map(({ at, fuel }) => [at, fuel]));
  const instructions: Instruction[] = [];
  while (reader.at < end) {
    const fuel = fuelAt.get(reader.at) ?? 0;
    reader.next();
    const isTable = reader.opcode === OPCODE.brTable;
    instructions.push({
      opcode: reader.opcode,
      index: reader.index,
      offset: reader.offset,
      long: reader.opcode === OPCODE.i64Const ? longOf(reader) : 0n,
      targets: isTable ? reader.targets.slice(0, reader.targetCount) : [],
      fuel,
      end: 0,
      else: undefined,
    });
  }
  joinBlocks(instructions);
  return {
    type,
    zeros: locals.slice(type.parameters.length, count).map((local) => (local === I32 ? 0 : 0n)),
    slots: extent.locals + extent.operands + FRAME_SLOTS,
    instructions,
  };
}

function longOf({ low, high }: InstructionReader): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

/** Tells each block where it ends. */
function joinBlocks(instructions: readonly Instruction[]): void {
  const open: Instruction[] = [];
  instructions.forEach((instruction, place) => {
    switch (instruction.opcode) {
      case OPCODE.block:
      case OPCODE.loop:
      case OPCODE.if:
        open.push(instruction);
        break;
      case OPCODE.else:
        open[open.length - 1]!.else = place;
        break;
      case OPCODE.end: {
        const block = open.pop();
        if (block === undefined) break;
        block.end = place;
        if (block.else !== undefined) instructions[block.else]!.end = place;
        break;
      }
    }
  });
}

/** How many values a block takes, and how many it leaves. */
export function blockArity(
  { module }: Contract,
  index: number,
): { readonly parameters: number; readonly results: number } {
  if (index === EMPTY_BLOCK_TYPE) return { parameters: 0, results: 0 };
  if (index < 0) return { parameters: 0, results: 1 };
  const type = must(module.types[index], "a valid module has the types of its blocks");
  return { parameters: type.parameters.length, results: type.results.length };
}
