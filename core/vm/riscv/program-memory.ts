import type { Bytes } from "@ostrom/base";
import type { ProgramMemory } from "../contract-host/types.ts";
import type { RiscvImage } from "./elf.ts";

/** A program's memory as host calls see it. Addresses and sizes are unsigned 32-bit numbers.
 * @param view the memory as it is now. */
export function memoryOver(view: () => Bytes): ProgramMemory {
  return {
    read: (from, size) => {
      const bytes = view();
      return from + size <= bytes.length ? bytes.subarray(from, from + size) : undefined;
    },
    write: (to, written) => {
      const bytes = view();
      if (to + written.length > bytes.length) return false;
      bytes.set(written, to);
      return true;
    },
  };
}

/** Loads a program into memory that is zero. */
export function loadSegments(image: RiscvImage, memory: Bytes): void {
  for (const { address, bytes } of image.segments) memory.set(bytes, address);
}
