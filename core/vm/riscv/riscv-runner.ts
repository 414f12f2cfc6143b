import { must } from "@ostrom/base";
import {
  createFuelAccount,
  type FuelAccount,
  giveFuelBack,
  takeFuel,
} from "../contract-host/fuel-account.ts";
import { finishHostCall } from "../contract-host/run-host-call.ts";
import type { Program, ProgramRunner } from "../contract-host/types.ts";
import { endWithFault, type Frame, type Machine } from "../frame.ts";
import {
  compileWasm,
  createWasmMemory,
  isNodeFault,
  isTrap,
  NodeFault,
  type WasmMemory,
} from "../runtime/webassembly.ts";
import type { Outcome } from "../types.ts";
import { CodeArea, type CodeRegion } from "./code-area.ts";
import { COMPILED_EXPORT, type CompiledProgram } from "./compile-program.ts";
import type { RiscvImage } from "./elf.ts";
import { makeHostCall } from "./host-bridge.ts";
import { A0, A7, SP } from "./instruction.ts";
import { emitInterpreter } from "./interpreter-module.ts";
import { MachinePool } from "./machine-pool.ts";
import { beginProgram, entryReason } from "./prepare.ts";
import type { ProgramMachine } from "./program-machine.ts";
import { TierChoice, type TierOptions } from "./tier-choice.ts";
import { MAX_WORK_PAGES, RECORD, WORK, WORK_FAULT } from "./work-area.ts";

/** How often a frame may go between tiers before it is looked at what it runs meanwhile, and how much that must be. */
const CHANGES_PER_CHECK = 128;
const LEAST_FUEL_PER_CHANGE = 1200;

const TWO_TO_THE_32 = 2 ** 32;

/** A frame that runs, or waits for the child that runs. */
type Activity = {
  readonly machine: Machine;
  readonly frame: Frame;
  readonly runChild: (child: Frame) => Outcome;
  readonly program: ProgramMachine;
  readonly image: RiscvImage;
  readonly region: CodeRegion;
  readonly account: FuelAccount;
};

/** A runner of programs in RISC-V, in tiers. It has memories of its own and is for one thread. When it has thrown, it may be
 * used for another message. See ProgramRunner and README.md. */
export function createRiscvRunner(options: TierOptions = {}): ProgramRunner {
  let runner: RiscvRunner | undefined;
  return (machine, frame, program, runChild) => {
    runner ??= new RiscvRunner(options);
    runner.run(machine, frame, program, runChild);
  };
}

class RiscvRunner {
  readonly #work: WasmMemory;
  readonly #area: CodeArea;
  readonly #pool: MachinePool;
  readonly #tiers: TierChoice;
  #words: Int32Array;
  #current: Activity | undefined;

  constructor(options: TierOptions) {
    this.#work = createWasmMemory(1, MAX_WORK_PAGES);
    this.#words = new Int32Array(this.#work.buffer);
    this.#area = new CodeArea(this.#work);
    this.#tiers = new TierChoice(options, (evicted) => this.#pool.forget(evicted));
    this.#pool = new MachinePool({
      work: this.#work,
      interpreter: compileWasm(emitInterpreter()),
      host: () => this.#callHost(),
      decode: (address) => {
        const { region, image } = this.#active();
        this.#area.decodeAt(region, image, Number(address));
        return undefined;
      },
    });
  }

  run(machine: Machine, frame: Frame, program: Program, runChild: (child: Frame) => Outcome): void {
    const image = beginProgram(frame, program);
    if (image === undefined) return;
    const compiled = this.#tiers.compiledFor(image, program.bytes);
    const outer = this.#current;
    const region = this.#area.enter(image);
    try {
      if (compiled !== undefined) this.#area.markCompiled(region, image, compiled);
      const memory = this.#pool.take(image, compiled);
      const account = createFuelAccount();
      this.#current = { machine, frame, runChild, program: memory, image, region, account };
      this.#begin(image, frame, takeFuel(frame, account));
      this.#runTiers(image, compiled);
      this.#pool.putBack(memory);
    } catch (error) {
      throw isNodeFault(error) ? asNodeFault(error) : error;
    } finally {
      this.#current = outer;
      this.#area.leave(region);
    }
  }

  #begin(image: RiscvImage, frame: Frame, fuel: number): void {
    const words = this.#view();
    words.fill(0, 0, WORK.code / 4);
    this.#setLong(SP, image.stackTop);
    this.#setLong(A0, entryReason(frame));
    this.#setFuel(fuel);
  }

  /** Goes between tiers until the frame has ended. */
  #runTiers(image: RiscvImage, compiled: CompiledProgram | undefined): void {
    const { frame, account } = this.#active();
    const start = this.#fuel();
    try {
      this.#goOn(image, compiled);
    } catch (error) {
      if (!isTrap(error)) throw error;
      endWithFault(frame, "vm/trap");
      return;
    }
    const fault = this.#view()[WORK.fault / 4];
    if (fault === WORK_FAULT.outOfFuel) endWithFault(frame, "vm/out-of-gas");
    else if (fault === WORK_FAULT.trap) endWithFault(frame, "vm/trap");
    account.remainder = 0;
    if (compiled === undefined) this.#tiers.countFuel(image, start - this.#fuel());
  }

  #goOn(image: RiscvImage, compiled: CompiledProgram | undefined): void {
    const { program, region } = this.#active();
    const { address, bytes } = image.text;
    const enter =
      compiled === undefined
        ? undefined
        : must(program.instanceOf(compiled)[COMPILED_EXPORT], "it is exported");
    let pc = image.entry;
    let mask: number = compiled === undefined ? 0 : RECORD.compiled;
    let fuel = this.#fuel();
    for (let changes = 1; !this.#hasEnded(); changes++) {
      const entry = mask === 0 ? undefined : compiled?.entries.get(pc);
      if (entry !== undefined && enter !== undefined) pc = (Number(enter(entry)) & -2) >>> 0;
      else pc = Number(program.interpret(pc, region.from, address, bytes.length, mask)) >>> 0;
      if (changes % CHANGES_PER_CHECK !== 0) continue;
      // Code that leaves compiled code as soon as it is in it runs faster without.
      if (fuel - this.#fuel() < CHANGES_PER_CHECK * LEAST_FUEL_PER_CHANGE) mask = 0;
      fuel = this.#fuel();
    }
  }

  #hasEnded(): boolean {
    return this.#active().frame.exit !== undefined || this.#view()[WORK.fault / 4] !== WORK_FAULT.none;
  }

  /** Answers an ECALL. @returns 1 if the frame has ended. */
  #callHost(): number {
    const activity = this.#active();
    const { machine, frame, program, account, runChild } = activity;
    try {
      giveFuelBack(frame, account, this.#fuel());
      const words = this.#view();
      let result = makeHostCall(machine, frame, program, words[2 * A7]! >>> 0, {
        word: (register) => this.#view()[2 * register]!,
        long: (register) => this.#long(register),
      });
      if (frame.exit?.kind === "enter") {
        const kept = this.#view().slice(0, WORK.code / 4);
        const outcome = runChild(frame.exit.child);
        this.#view().set(kept);
        result = finishHostCall(machine, frame, program, outcome);
      }
      if (frame.exit !== undefined) return 1;
      this.#setFuel(takeFuel(frame, account));
      if (result !== undefined) this.#setLong(A0, result);
      return 0;
    } catch (error) {
      // What fails in the host is never taken for a trap of the program that called it.
      throw isNodeFault(error) ? asNodeFault(error) : error;
    }
  }

  #active(): Activity {
    return must(this.#current, "a frame must run");
  }

  #view(): Int32Array {
    // A memory that grows leaves its old buffer behind, empty.
    if (this.#words.length === 0) this.#words = new Int32Array(this.#work.buffer);
    return this.#words;
  }

  #long(register: number): bigint {
    const words = this.#view();
    return (BigInt(words[2 * register + 1]!) << 32n) | BigInt(words[2 * register]! >>> 0);
  }

  #setLong(register: number, value: number | bigint): void {
    const words = this.#view();
    if (typeof value === "number") {
      words[2 * register] = value;
      words[2 * register + 1] = value < 0 ? -1 : 0;
    } else {
      words[2 * register] = Number(BigInt.asIntN(32, value));
      words[2 * register + 1] = Number(BigInt.asIntN(32, value >> 32n));
    }
  }

  #fuel(): number {
    const words = this.#view();
    return words[WORK.fuel / 4 + 1]! * TWO_TO_THE_32 + (words[WORK.fuel / 4]! >>> 0);
  }

  #setFuel(fuel: number): void {
    const words = this.#view();
    words[WORK.fuel / 4] = (fuel % TWO_TO_THE_32) | 0;
    words[WORK.fuel / 4 + 1] = Math.floor(fuel / TWO_TO_THE_32);
  }
}

function asNodeFault(error: unknown): NodeFault {
  return error instanceof NodeFault ? error : new NodeFault(String(error), { cause: error });
}
