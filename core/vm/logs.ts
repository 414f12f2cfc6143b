import { hashFromWord } from "@ostrom/base";
import { charge, claimMemory, endWithFault, type Frame, type Machine } from "./frame.ts";
import { GAS } from "./gas-schedule.ts";
import type { Instruction } from "./instruction.ts";
import { readMemory } from "./memory.ts";

const MAX_TOPICS = 4;

/** LOG0 to LOG4. Source: Yellow Paper, appendix H.2, "Logging Operations". */
export const LOGS: readonly Instruction[] = Array.from({ length: MAX_TOPICS + 1 }, (_, topicCount) => ({
  opcode: 0xa0 + topicCount,
  name: `LOG${topicCount}`,
  gas: GAS.log + GAS.logTopic * topicCount,
  pops: 2 + topicCount,
  pushes: 0,
  run: (machine: Machine, frame: Frame) => log(machine, frame, topicCount),
}));

function log({ context }: Machine, frame: Frame, topicCount: number): void {
  const { stack } = frame;
  const offset = stack.pop()!;
  const size = stack.pop()!;
  const topics = Array.from({ length: topicCount }, () => hashFromWord(stack.pop()!));
  if (frame.isStatic) {
    endWithFault(frame, "vm/static-violation");
    return;
  }
  if (!claimMemory(frame, offset, size)) return;
  if (!charge(frame, GAS.logByte * Number(size))) return;
  context.state.addLog({ address: frame.address, topics, data: readMemory(frame.memory, offset, size) });
}
