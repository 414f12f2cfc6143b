import type { Bytes } from "@ostrom/base";
import type { Instruction } from "../instruction.ts";
import { OP } from "../opcodes.ts";
import { readWord } from "../word.ts";

/** An instruction where it stands in the code. */
export type PlacedInstruction = {
  readonly instruction: Instruction;
  readonly programCounter: number;
  /** What a PUSH pushes; undefined for others. */
  readonly pushed: bigint | undefined;
};

/** How a block ends:
 * - `fall`: goes on with the next block, which begins with a JUMPDEST or after a call;
 * - `jump`, `branch`: its last instruction is JUMP or JUMPI (which goes on with the next block if it does not jump);
 * - `call`: its last instruction is a CALL or CREATE: the host goes on with the next block when it is done;
 * - `halt`: its last instruction ends the frame;
 * - `invalid`: an opcode follows that does not exist: whatever the block does is undone. */
export type BlockEnd = "fall" | "jump" | "branch" | "call" | "halt" | "invalid";

/** Instructions that always run one after the other, from the first. */
export type BasicBlock = {
  /** Place in the graph. */
  readonly index: number;
  readonly instructions: readonly PlacedInstruction[];
  readonly end: BlockEnd;
};

export type ControlFlowGraph = {
  /** In the order of the code. The last one is not `fall`, `branch` or `call`: running off the end of the code is a
   * STOP, which stands in a block of its own. */
  readonly blocks: readonly BasicBlock[];
  /** Block by the program counter of its JUMPDEST. */
  readonly jumpTargets: ReadonlyMap<number, number>;
};

type InstructionTable = readonly (Instruction | undefined)[];

const ENDS: ReadonlyMap<number, BlockEnd> = new Map([
  [OP.STOP, "halt"],
  [OP.JUMP, "jump"],
  [OP.JUMPI, "branch"],
  [OP.CREATE, "call"],
  [OP.CALL, "call"],
  [OP.CALLCODE, "call"],
  [OP.RETURN, "halt"],
  [OP.DELEGATECALL, "call"],
  [OP.CREATE2, "call"],
  [OP.STATICCALL, "call"],
  [OP.REVERT, "halt"],
  [OP.INVALID, "invalid"],
  [OP.SELFDESTRUCT, "halt"],
]);

/** Cuts code into blocks. Code that no jump can reach is left out.
 * @param table the fork's instructions, by opcode. */
export function buildControlFlowGraph(code: Bytes, table: InstructionTable): ControlFlowGraph {
  const blocks: BasicBlock[] = [];
  const jumpTargets = new Map<number, number>();
  let current: PlacedInstruction[] = [];
  let reachable = true;
  const close = (end: BlockEnd): void => {
    blocks.push({ index: blocks.length, instructions: current, end });
    current = [];
    reachable = end === "fall" || end === "branch" || end === "call";
  };
  for (let programCounter = 0; programCounter < code.length; ) {
    const opcode = code[programCounter]!;
    const pushSize = pushSizeOf(opcode);
    if (opcode === OP.JUMPDEST) {
      if (reachable && current.length > 0) close("fall");
      reachable = true;
      jumpTargets.set(programCounter, blocks.length);
    }
    if (reachable) {
      const instruction = table[opcode];
      const end = instruction === undefined ? "invalid" : ENDS.get(opcode);
      if (instruction !== undefined) {
        const isPush = opcode >= OP.PUSH0 && opcode <= OP.PUSH32;
        const pushed = isPush ? readWord(code, programCounter + 1, pushSize) : undefined;
        current.push({ instruction, programCounter, pushed });
      }
      if (end !== undefined) close(end);
    }
    programCounter += 1 + pushSize;
  }
  if (reachable) {
    if (current.length > 0) close("fall");
    blocks.push(implicitStop(blocks.length, code.length, table));
  }
  return { blocks, jumpTargets };
}

function implicitStop(index: number, programCounter: number, table: InstructionTable): BasicBlock {
  const stop = { instruction: table[OP.STOP]!, programCounter, pushed: undefined };
  return { index, instructions: [stop], end: "halt" };
}

function pushSizeOf(opcode: number): number {
  return opcode > OP.PUSH0 && opcode <= OP.PUSH32 ? opcode - OP.PUSH0 : 0;
}
