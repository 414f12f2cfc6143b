import { type Bytes, type Hash, hashFromWord } from "@ostrom/base";
import { charge, claimMemory, type Frame, type Machine, mayChangeState } from "./frame.ts";
import { GAS } from "./gas-schedule.ts";
import type { Instruction } from "./instruction.ts";
import { readMemory } from "./memory.ts";

export const MAX_TOPICS = 4;

/** LOG0 to LOG4. Source: Yellow Paper, appendix H.2, "Logging Operations". */
export const LOGS: readonly Instruction[] = Array.from({ length: MAX_TOPICS + 1 }, (_, topicCount) => ({
  opcode: 0xa0 + topicCount,
  name: `LOG${topicCount}`,
  gas: logGas(topicCount),
  pops: 2 + topicCount,
  pushes: 0,
  run: (machine: Machine, frame: Frame) => log(machine, frame, topicCount),
}));

/** What a log costs, its data apart. */
export function logGas(topicCount: number): number {
  return GAS.log + GAS.logTopic * topicCount;
}

function log(machine: Machine, frame: Frame, topicCount: number): void {
  const { stack } = frame;
  const offset = stack.pop()!;
  const size = stack.pop()!;
  const topics = Array.from({ length: topicCount }, () => hashFromWord(stack.pop()!));
  if (!claimMemory(frame, offset, size)) return;
  addLog(machine, frame, topics, readMemory(frame.memory, offset, size));
}

/** Adds a log and charges for its data.
 * @param data is kept: a copy. */
export function addLog({ context }: Machine, frame: Frame, topics: readonly Hash[], data: Bytes): void {
  if (!mayChangeState(frame)) return;
  if (!charge(frame, GAS.logByte * data.length)) return;
  context.state.addLog({ address: frame.address, topics, data });
}
