import { entryGas } from "../contract-host/program-gas.ts";
import type { Program } from "../contract-host/types.ts";
import { charge, endWithFault, type Frame } from "../frame.ts";
import { type RiscvImage, readElf } from "./elf.ts";

const images = new WeakMap<Program, RiscvImage | undefined>();

/** The image of a program, read once. @returns undefined if the file is none: then it cannot have been deployed. */
function imageOf(program: Program): RiscvImage | undefined {
  if (images.has(program)) return images.get(program);
  const read = readElf(program.bytes);
  const image = read.ok ? read.value : undefined;
  images.set(program, image);
  return image;
}

/** Begins a message to a program: charges what it costs before its first instruction.
 * @returns undefined if it cannot begin: then the frame has ended. */
export function beginProgram(frame: Frame, program: Program): RiscvImage | undefined {
  const image = imageOf(program);
  if (image === undefined) {
    endWithFault(frame, "vm/invalid-program");
    return undefined;
  }
  return charge(frame, entryGas(image.pages, image.initializedBytes)) ? image : undefined;
}

/** What a0 holds at the beginning. */
export function entryReason(frame: Frame): 0 | 1 {
  return frame.kind === "create" ? 1 : 0;
}
