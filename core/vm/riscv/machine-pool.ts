import type { CompiledProgram } from "./compile-program.ts";
import type { RiscvImage } from "./elf.ts";
import { type MachineParts, ProgramMachine } from "./program-machine.ts";

/** Pages of all machines that wait, together: 64 MiB. */
const MAX_IDLE_PAGES = 1024;
/** V8 reserves gigabytes of addresses for each memory, however small. */
const MAX_IDLE_MACHINES = 64;

/** Keeps machines for further messages. Those that have waited longest go first. */
export class MachinePool {
  readonly #parts: MachineParts;
  readonly #idle: ProgramMachine[] = [];
  #idlePages = 0;

  constructor(parts: MachineParts) {
    this.#parts = parts;
  }

  /** A machine with the program loaded. Throws NodeFault if there is no memory for one. */
  take(image: RiscvImage, compiled: CompiledProgram | undefined): ProgramMachine {
    const machine = this.#find(image, compiled) ?? new ProgramMachine(this.#parts, image.pages);
    machine.load(image);
    return machine;
  }

  /** One that has an instance of the compiled program, or else any of the size. */
  #find({ pages }: RiscvImage, compiled: CompiledProgram | undefined): ProgramMachine | undefined {
    let found = -1;
    for (let index = this.#idle.length - 1; index >= 0; index--) {
      const machine = this.#idle[index]!;
      if (machine.initialPages !== pages) continue;
      if (found === -1) found = index;
      if (compiled === undefined || !machine.has(compiled)) continue;
      found = index;
      break;
    }
    if (found === -1) return undefined;
    this.#idlePages -= pages;
    return this.#idle.splice(found, 1)[0];
  }

  /** Lets go of a compiled program's instances. */
  forget(compiled: CompiledProgram): void {
    for (const machine of this.#idle) machine.forget(compiled);
  }

  putBack(machine: ProgramMachine): void {
    if (!machine.isReusable) return;
    this.#idle.push(machine);
    this.#idlePages += machine.initialPages;
    while (this.#idlePages > MAX_IDLE_PAGES || this.#idle.length > MAX_IDLE_MACHINES) {
      this.#idlePages -= this.#idle.shift()?.initialPages ?? 0;
    }
  }
}
