import { charge, endWithFault, gasLeft } from "../frame.ts";
import { GAS } from "../gas-schedule.ts";
import { wordCount } from "../word.ts";
import {
  answerBytes,
  answerWord,
  type Crossing,
  copyOut,
  type HostFunctions,
  numberOperand,
  readBytes,
} from "./border.ts";
import { endProgram } from "./end-program.ts";
import { PROGRAM_GAS } from "./program-gas.ts";

/** What a program asks of its own message. */
export const MESSAGE_FUNCTIONS: HostFunctions = {
  input_size: { gas: GAS.base, run: ({ frame }) => frame.input.length },
  input_copy: {
    gas: GAS.veryLow,
    run: (crossing) => copyOut(crossing, copyTarget(crossing, 0), crossing.frame.input, GAS.copyWord),
  },
  output: { gas: GAS.veryLow, run: setOutput },
  exit: {
    gas: GAS.zero,
    run: (crossing) => {
      endProgram(crossing.frame, numberOperand(crossing, 0));
      return 0;
    },
  },
  address: { gas: GAS.base, run: (crossing) => answerBytes(crossing, 0, crossing.frame.address) },
  caller: { gas: GAS.base, run: (crossing) => answerBytes(crossing, 0, crossing.frame.caller) },
  value: { gas: GAS.base, run: (crossing) => answerWord(crossing, 0, crossing.frame.value) },
  gas_left: { gas: GAS.base, run: ({ frame }) => gasLeft(frame) },
  return_data_size: { gas: GAS.base, run: ({ frame }) => frame.returnData.length },
  return_data_copy: { gas: GAS.veryLow, run: copyReturnData },
};

/** Operands `to offset size`, the first of which is at `index`. */
export function copyTarget(
  crossing: Crossing,
  index: number,
): { readonly to: number; readonly offset: number; readonly size: number } {
  return {
    to: numberOperand(crossing, index),
    offset: numberOperand(crossing, index + 1),
    size: numberOperand(crossing, index + 2),
  };
}

function setOutput(crossing: Crossing): 0 {
  const { frame } = crossing;
  const size = numberOperand(crossing, 1);
  if (!charge(frame, PROGRAM_GAS.crossingWord * wordCount(size))) return 0;
  const output = readBytes(crossing, numberOperand(crossing, 0), size);
  if (output !== undefined) frame.output = output;
  return 0;
}

/** Unlike the other copies, one beyond the end of its source fails. */
function copyReturnData(crossing: Crossing): 0 {
  const { frame } = crossing;
  const target = copyTarget(crossing, 0);
  if (target.offset + target.size > frame.returnData.length) {
    endWithFault(frame, "vm/return-data-out-of-bounds");
    return 0;
  }
  return copyOut(crossing, target, frame.returnData, GAS.copyWord);
}
