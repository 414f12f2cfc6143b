import type { Frame, Machine } from "./frame.ts";
import type { Fork } from "./types.ts";

/** One of the EVM's instructions. */
export type Instruction = {
  readonly opcode: number;
  readonly name: string;
  /** Charged before it runs; what depends on operands or state, `run` charges besides. */
  readonly gas: number;
  /** Words that it takes from the stack. Whether they are there, and whether the stack has room for what it pushes, is
   * checked before it runs. */
  readonly pops: number;
  readonly pushes: number;
  /** The fork that brought it; absent for those that all forks here have. */
  readonly since?: Fork;
  readonly run: (machine: Machine, frame: Frame) => void;
};

/** An instruction that takes one word and pushes another. */
export function unary(
  opcode: number,
  name: string,
  gas: number,
  operation: (a: bigint) => bigint,
): Instruction {
  const run = (_: Machine, { stack }: Frame): void => {
    stack.push(operation(stack.pop()!));
  };
  return { opcode, name, gas, pops: 1, pushes: 1, run };
}

/** @param operation gets the top of the stack first. */
export function binary(
  opcode: number,
  name: string,
  gas: number,
  operation: (a: bigint, b: bigint) => bigint,
): Instruction {
  const run = (_: Machine, { stack }: Frame): void => {
    const a = stack.pop()!;
    const b = stack.pop()!;
    stack.push(operation(a, b));
  };
  return { opcode, name, gas, pops: 2, pushes: 1, run };
}

/** @param operation gets the top of the stack first. */
export function ternary(
  opcode: number,
  name: string,
  gas: number,
  operation: (a: bigint, b: bigint, c: bigint) => bigint,
): Instruction {
  const run = (_: Machine, { stack }: Frame): void => {
    const a = stack.pop()!;
    const b = stack.pop()!;
    const c = stack.pop()!;
    stack.push(operation(a, b, c));
  };
  return { opcode, name, gas, pops: 3, pushes: 1, run };
}

/** An instruction that pushes what it reads from the frame or its surroundings. */
export function reading(
  opcode: number,
  name: string,
  gas: number,
  read: (machine: Machine, frame: Frame) => bigint,
): Instruction {
  const run = (machine: Machine, frame: Frame): void => {
    frame.stack.push(read(machine, frame));
  };
  return { opcode, name, gas, pops: 0, pushes: 1, run };
}
