import { type Bytes, must } from "@ostrom/base";
import {
  createFuelAccount,
  type FuelAccount,
  giveFuelBack,
  takeFuel,
} from "../contract-host/fuel-account.ts";
import { PAGE_SIZE } from "../contract-host/program-gas.ts";
import { finishHostCall, outcomeOfChild } from "../contract-host/run-host-call.ts";
import type { ProgramMemory, ReferenceRunner } from "../contract-host/types.ts";
import { endWithFault, type Frame, type Machine } from "../frame.ts";
import { decode } from "./decode.ts";
import type { RiscvImage } from "./elf.ts";
import { type GrowingMemory, makeHostCall } from "./host-bridge.ts";
import { A0, A7, FUEL_OF_OPERATION, type Instruction, isBranch, REGISTER_COUNT, SP } from "./instruction.ts";
import { beginProgram, entryReason } from "./prepare.ts";
import { loadSegments, memoryOver } from "./program-memory.ts";
import { BINARY, BRANCHES, LOADS, OF_IMMEDIATE, STORES } from "./reference-arithmetic.ts";

/** Frames that wait for a child. */
const waiting = new WeakMap<Frame, ReferenceRun>();

/** Runs a program as the specification and README.md say, plainly: the oracle for the tiers. See ReferenceRunner. */
export const runRiscvInReference: ReferenceRunner = (machine, frame, program) => {
  let run = waiting.get(frame);
  if (run === undefined) {
    const image = beginProgram(frame, program);
    if (image === undefined) return;
    run = new ReferenceRun(machine, frame, image);
  }
  waiting.delete(frame);
  run.goOn();
  if (frame.exit?.kind === "enter") waiting.set(frame, run);
};

class ReferenceMemory implements GrowingMemory {
  bytes: Bytes;
  readonly #memory: ProgramMemory = memoryOver(() => this.bytes);

  constructor(image: RiscvImage) {
    this.bytes = new Uint8Array(image.pages * PAGE_SIZE);
    loadSegments(image, this.bytes);
  }

  get pages(): number {
    return this.bytes.length / PAGE_SIZE;
  }

  grow(pages: number): void {
    const grown = new Uint8Array(this.bytes.length + pages * PAGE_SIZE);
    grown.set(this.bytes);
    this.bytes = grown;
  }

  readonly read: ProgramMemory["read"] = (from, size) => this.#memory.read(from, size);
  readonly write: ProgramMemory["write"] = (to, bytes) => this.#memory.write(to, bytes);
}

class ReferenceRun {
  readonly #machine: Machine;
  readonly #frame: Frame;
  readonly #image: RiscvImage;
  readonly #memory: ReferenceMemory;
  readonly #registers: bigint[] = Array.from({ length: REGISTER_COUNT }, () => 0n);
  readonly #account: FuelAccount = createFuelAccount();
  readonly #decoded = new Map<number, Instruction>();
  #fuel: number;
  #programCounter: number;

  constructor(machine: Machine, frame: Frame, image: RiscvImage) {
    this.#machine = machine;
    this.#frame = frame;
    this.#image = image;
    this.#memory = new ReferenceMemory(image);
    this.#programCounter = image.entry;
    this.#registers[SP] = BigInt(image.stackTop);
    this.#registers[A0] = BigInt(entryReason(frame));
    this.#fuel = takeFuel(frame, this.#account);
  }

  /** Runs until the frame has an exit. */
  goOn(): void {
    const outcome = outcomeOfChild(this.#frame);
    if (outcome !== undefined) {
      const status = finishHostCall(this.#machine, this.#frame, this.#memory, outcome);
      this.#fuel = takeFuel(this.#frame, this.#account);
      this.#set(A0, BigInt(status));
    }
    while (this.#frame.exit === undefined) this.#step();
  }

  #step(): void {
    const instruction = this.#fetch();
    this.#fuel -= FUEL_OF_OPERATION[instruction.operation];
    if (this.#fuel < 0) endWithFault(this.#frame, "vm/out-of-gas");
    else this.#run(instruction);
  }

  #fetch(): Instruction {
    const { text } = this.#image;
    const at = this.#programCounter;
    let instruction = this.#decoded.get(at);
    if (instruction === undefined) {
      // What lies outside the text is no instruction, as the text's end is none.
      const offset = at - text.address;
      instruction = decode(text.bytes, offset < 0 ? text.bytes.length : offset);
      this.#decoded.set(at, instruction);
    }
    return instruction;
  }

  #get(register: number): bigint {
    return must(this.#registers[register], "there are 32 registers");
  }

  #set(register: number, value: bigint): void {
    if (register !== 0) this.#registers[register] = value;
  }

  #run(instruction: Instruction): void {
    const { operation, rd, rs1, rs2, size } = instruction;
    const immediate = BigInt(instruction.immediate);
    const here = this.#programCounter;
    this.#programCounter = here + size;
    const binary = BINARY[operation];
    if (binary !== undefined) {
      this.#set(rd, binary(this.#get(rs1), this.#get(rs2)));
      return;
    }
    const like = OF_IMMEDIATE[operation];
    if (like !== undefined) {
      this.#set(rd, must(BINARY[like], "it is like a binary one")(this.#get(rs1), immediate));
      return;
    }
    if (isBranch(operation)) {
      if (BRANCHES[operation](this.#get(rs1), this.#get(rs2))) {
        this.#programCounter = here + instruction.immediate;
      }
      return;
    }
    if (!this.#runAccess(instruction)) this.#runOther(instruction, here, immediate);
  }

  #runAccess({ operation, rd, rs1, rs2, immediate }: Instruction): boolean {
    const load = LOADS[operation];
    const stored = STORES[operation];
    if (load === undefined && stored === undefined) return false;
    // The base is cut to 32 bits; what the offset leads out of the memory to, on either side, is not there.
    const address = Number(BigInt.asUintN(32, this.#get(rs1))) + immediate;
    const size = load?.bytes ?? must(stored, "it is a load or a store");
    const { bytes } = this.#memory;
    if (address < 0 || address + size > bytes.length) {
      endWithFault(this.#frame, "vm/trap");
      return true;
    }
    if (load === undefined) {
      const value = BigInt.asUintN(8 * size, this.#get(rs2));
      for (let index = 0; index < size; index++) {
        bytes[address + index] = Number((value >> BigInt(8 * index)) & 0xffn);
      }
      return true;
    }
    let value = 0n;
    for (let index = size - 1; index >= 0; index--) value = (value << 8n) | BigInt(bytes[address + index]!);
    this.#set(rd, load.isSigned ? BigInt.asIntN(8 * size, value) : value);
    return true;
  }

  #runOther({ operation, rd, rs1 }: Instruction, here: number, immediate: bigint): void {
    switch (operation) {
      case "lui":
        this.#set(rd, immediate);
        return;
      case "auipc":
        this.#set(rd, BigInt(here) + immediate);
        return;
      case "jal":
        this.#set(rd, BigInt(this.#programCounter));
        this.#programCounter = here + Number(immediate);
        return;
      case "jalr": {
        const target = Number(BigInt.asUintN(32, this.#get(rs1) + immediate));
        this.#set(rd, BigInt(this.#programCounter));
        this.#programCounter = target - (target % 2);
        return;
      }
      case "fence":
        return;
      case "ecall":
        this.#callHost();
        return;
      default:
        endWithFault(this.#frame, "vm/trap");
    }
  }

  #callHost(): void {
    const frame = this.#frame;
    giveFuelBack(frame, this.#account, this.#fuel);
    const word = (register: number): number => Number(BigInt.asIntN(32, this.#get(register)));
    const result = makeHostCall(this.#machine, frame, this.#memory, word(A7) >>> 0, {
      word,
      long: (register) => this.#get(register),
    });
    if (frame.exit !== undefined) return;
    this.#fuel = takeFuel(frame, this.#account);
    if (result !== undefined) this.#set(A0, BigInt.asIntN(64, BigInt(result)));
  }
}
