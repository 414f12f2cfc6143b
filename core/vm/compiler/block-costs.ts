import { OP } from "../opcodes.ts";
import type { BasicBlock } from "./control-flow-graph.ts";

/** A run of instructions whose constant gas is charged at once, before the first of them. */
export type GasSegment = {
  /** Place in the block of its first instruction. */
  readonly from: number;
  readonly gas: number;
};

/** What is checked once a block in place of once an instruction. */
export type BlockCosts = {
  /** Words that the stack must hold when the block begins. */
  readonly wordsNeeded: number;
  /** Words by which the stack grows at its highest. */
  readonly growth: number;
  readonly segments: readonly GasSegment[];
};

/** These see how much gas is left: nothing of what follows them may have been charged. CALL and CREATE see it too, and
 * end their block. */
const SEES_GAS: ReadonlySet<number> = new Set([OP.GAS, OP.SSTORE]);

/** Sums what the instructions of a block need. Charging early is not observable: a block that runs out of gas midway is
 * undone with its frame, whatever it did, and only the instructions of SEES_GAS could tell. */
export function blockCosts(block: BasicBlock): BlockCosts {
  let height = 0;
  let wordsNeeded = 0;
  let growth = 0;
  const segments: GasSegment[] = [];
  let from = 0;
  let gas = 0;
  for (const [place, { instruction }] of block.instructions.entries()) {
    wordsNeeded = Math.max(wordsNeeded, instruction.pops - height);
    height += instruction.pushes - instruction.pops;
    growth = Math.max(growth, height);
    gas += instruction.gas;
    if (SEES_GAS.has(instruction.opcode)) {
      segments.push({ from, gas });
      from = place + 1;
      gas = 0;
    }
  }
  if (gas > 0) segments.push({ from, gas });
  return { wordsNeeded, growth, segments };
}
