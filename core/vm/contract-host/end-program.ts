import { endWith, endWithFault, type Frame } from "../frame.ts";
import { EXIT_STATUS } from "./host-calls.ts";

/** Ends a frame as its program says: by `exit`, or by what its entry returns.
 * @param status one of EXIT_STATUS; any other is a trap. */
export function endProgram(frame: Frame, status: number): void {
  if (status === EXIT_STATUS.success) endWith(frame, "success", frame.output);
  else if (status === EXIT_STATUS.revert) endWith(frame, "revert", frame.output);
  else endWithFault(frame, "vm/trap");
}
