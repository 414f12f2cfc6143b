import { must } from "@ostrom/base";
import { decode } from "./decode.ts";
import type { RiscvImage, RiscvSegment } from "./elf.ts";
import { type Instruction, isBranch, RA } from "./instruction.ts";

/** The alternate link register of the calling convention, t0. */
const ALTERNATE_LINK = 5;

/** A program's instructions, each decoded once. */
export class Text {
  readonly image: RiscvImage;
  readonly #text: RiscvSegment;
  readonly #decoded: (Instruction | undefined)[] = [];

  constructor(image: RiscvImage) {
    this.image = image;
    this.#text = image.text;
  }

  /** Whether an instruction may begin there. */
  has(pc: number): boolean {
    const offset = pc - this.#text.address;
    return offset >= 0 && offset < this.#text.bytes.length && offset % 2 === 0;
  }

  at(pc: number): Instruction {
    const place = (pc - this.#text.address) / 2;
    let instruction = this.#decoded[place];
    if (instruction === undefined) {
      instruction = decode(this.#text.bytes, 2 * place);
      this.#decoded[place] = instruction;
    }
    return must(instruction, "it has just been decoded");
  }
}

/** Whether control never goes on behind an instruction. */
export function endsPath({ operation, rd }: Instruction): boolean {
  return operation === "illegal" || ((operation === "jal" || operation === "jalr") && rd === 0);
}

/** Whether an instruction looks like a return: any jump is exact, but as a return this one is fast. */
export function isReturn({ operation, rd, rs1, immediate }: Instruction): boolean {
  return operation === "jalr" && rd === 0 && immediate === 0 && (rs1 === RA || rs1 === ALTERNATE_LINK);
}

/** Whether an instruction jumps to where a register says, other than a return or a call. */
export function isComputedJump(instruction: Instruction): boolean {
  return instruction.operation === "jalr" && instruction.rd === 0 && !isReturn(instruction);
}

/** Where a branch, a jump or a call leads, if the text says it: in its immediate, or in an AUIPC before it.
 * @param previous the pc of the instruction that has just run, if there is only one that it can be. */
export function targetOf(text: Text, pc: number, previous: number | undefined): number | undefined {
  const { operation, rs1, immediate } = text.at(pc);
  if (operation === "jal" || isBranch(operation)) return pc + immediate;
  if (operation !== "jalr" || previous === undefined) return undefined;
  const upper = text.at(previous);
  if (upper.operation !== "auipc" || upper.rd !== rs1 || rs1 === 0) return undefined;
  const target = previous + upper.immediate + immediate;
  return target - (Math.abs(target) % 2);
}
