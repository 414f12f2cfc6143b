import { type Bytes, must } from "@ostrom/base";
import { type CodeBuilder, I32, I64, type Label, ModuleBuilder } from "@ostrom/wasm";
import { MAX_PROGRAM_PAGES } from "../contract-host/program-gas.ts";
import {
  emitDivision,
  emitMultiplyHigh,
  isDivision,
  isMultiplyHigh,
  type MultiplyLocals,
  multiplyLocals,
} from "./emit-arithmetic.ts";
import { isBranch, OPERATIONS, type Operation } from "./instruction.ts";
import { BINARY_CODE, BRANCH_CODE, emitAccess, LOAD_OPCODE, STORE_OPCODE } from "./operation-code.ts";
import { OF_IMMEDIATE } from "./reference-arithmetic.ts";
import {
  DECODE_IMPORT,
  HOST_IMPORT,
  MAX_WORK_PAGES,
  MEMORY_IMPORT,
  PROGRAM_MODULE,
  RECORD,
  RECORD_BYTES,
  RECORD_SHIFT,
  REGISTER_SHIFT,
  WORK,
  WORK_FAULT,
  WORK_MODULE,
} from "./work-area.ts";

/** (pc, address of the records, start of the text, its size, mask) -> pc. Runs until JAL or JALR leads to where compiled code
 * begins (with RECORD.compiled for `mask`; with 0 that is passed over), or until the frame has ended. */
export const INTERPRETER_EXPORT = "run";

const [PC, RECORDS, TEXT, TEXT_BYTES, MASK] = [0, 1, 2, 3, 4] as const;
const PARAMETERS = [I32, I32, I32, I32, I32] as const;
const PROGRAM_MEMORY = 1;

/** Tier 0: an interpreter, one module for all programs. Memory 0 is the work memory, memory 1 the program's. Instructions are
 * decoded by the host when they are reached first. */
export function emitInterpreter(): Bytes {
  const module = new ModuleBuilder();
  const host = module.importFunction(WORK_MODULE, HOST_IMPORT, module.type([], [I32]));
  const decode = module.importFunction(WORK_MODULE, DECODE_IMPORT, module.type([I32], []));
  module.importMemory(WORK_MODULE, MEMORY_IMPORT, { minimum: 1, maximum: MAX_WORK_PAGES });
  module.importMemory(PROGRAM_MODULE, MEMORY_IMPORT, { minimum: 1, maximum: MAX_PROGRAM_PAGES });
  module.function(
    module.type(PARAMETERS, [I32]),
    (code) => new InterpreterEmission(code, host, decode).emit(),
    INTERPRETER_EXPORT,
  );
  return module.encode();
}

class InterpreterEmission {
  readonly #code: CodeBuilder;
  readonly #host: number;
  readonly #decode: number;
  /** The address of the record of the instruction that runs, and its first i32. */
  readonly #at: number;
  readonly #record: number;
  readonly #fuel: number;
  readonly #left: number;
  readonly #right: number;
  /** What makes a pc of a record's address / 4. */
  readonly #bias: number;
  readonly #multiply: MultiplyLocals;
  #next: Label | undefined;
  #outOfFuel: Label | undefined;
  #trap: Label | undefined;

  constructor(code: CodeBuilder, host: number, decode: number) {
    this.#code = code;
    this.#host = host;
    this.#decode = decode;
    this.#at = code.local(I32);
    this.#record = code.local(I32);
    this.#bias = code.local(I32);
    this.#fuel = code.local(I64);
    this.#left = code.local(I64);
    this.#right = code.local(I64);
    this.#multiply = multiplyLocals(code);
  }

  emit(): void {
    const code = this.#code;
    code.i32Const(0).i64Load(WORK.fuel).localSet(this.#fuel);
    code.localGet(TEXT).localGet(RECORDS).i32Const(2).i32ShrU().i32Sub().localSet(this.#bias);
    const outOfFuel = code.block();
    const trap = code.block();
    this.#outOfFuel = outOfFuel;
    this.#trap = trap;
    this.#findRecord();
    this.#next = code.loop();
    const handlers = ["undecoded", ...OPERATIONS] as const;
    // The handler of an operation stands behind the end of its block: the first behind the innermost.
    const labels = handlers.map(() => code.block()).reverse();
    code.localGet(this.#at).i32Load().localTee(this.#record);
    code.i32Const(RECORD.fuelShift).i32ShrU().i32Const(RECORD.maxFuel).i32And().i64ExtendI32U();
    code.localSet(this.#left);
    code.localGet(this.#fuel).localGet(this.#left).i64Sub().localTee(this.#fuel);
    code.i64Const(0).i64LtS().brIf(outOfFuel);
    code.localGet(this.#record).i32Const(RECORD.operation).i32And().brTable(labels, trap);
    for (const handler of handlers) {
      code.end();
      if (handler === "undecoded") this.#emitDecode();
      else this.#emitHandler(handler);
    }
    code.end();
    code.unreachable();
    code.end();
    this.#endWith(WORK_FAULT.trap);
    code.end();
    this.#endWith(WORK_FAULT.outOfFuel);
    code.i32Const(0);
  }

  #endWith(fault: number): void {
    this.#code.i32Const(0).i32Const(fault).i32Store(WORK.fault);
    this.#code.i32Const(0).return();
  }

  /** Goes to the record of the pc, which may be anything. */
  #findRecord(): void {
    const code = this.#code;
    code.localGet(PC).i32Const(-2).i32And().localGet(TEXT).i32Sub().localTee(PC);
    code.localGet(TEXT_BYTES).i32GeU().brIf(must(this.#trap, "it is open"));
    code.localGet(PC).i32Const(2).i32Shl().localGet(RECORDS).i32Add().localSet(this.#at);
  }

  #goOn(): void {
    this.#pushFollowing();
    this.#code.localSet(this.#at).br(must(this.#next, "it is open"));
  }

  /** The address of the record of the instruction that follows. */
  #pushFollowing(): void {
    const code = this.#code;
    code
      .localGet(this.#at)
      .i32Const(2 * RECORD_BYTES)
      .i32Add();
    code
      .localGet(this.#record)
      .i32Const(RECORD.compressedShift - RECORD_SHIFT)
      .i32ShrU()
      .i32Const(RECORD_BYTES)
      .i32And()
      .i32Sub();
  }

  #emitDecode(): void {
    this.#code.localGet(this.#at).call(this.#decode).br(must(this.#next, "it is open"));
  }

  #register(shift: number, mask: number): void {
    this.#code
      .localGet(this.#record)
      .i32Const(shift - REGISTER_SHIFT)
      .i32ShrU()
      .i32Const(mask << REGISTER_SHIFT)
      .i32And();
  }

  #pushRs1(): void {
    this.#register(RECORD.rs1Shift, 31);
    this.#code.i64Load(WORK.registers);
  }

  #pushRs2(): void {
    this.#register(RECORD.rs2Shift, 31);
    this.#code.i64Load(WORK.registers);
  }

  #pushImmediate(): void {
    this.#code.localGet(this.#at).i64Load32S(RECORD_BYTES / 2);
  }

  /** What `push` leaves goes to rd. */
  #setRd(push: () => void): void {
    this.#register(RECORD.rdShift, 63);
    push();
    this.#code.i64Store(WORK.registers);
  }

  #emitHandler(operation: Operation): void {
    const code = this.#code;
    const binary = BINARY_CODE[OF_IMMEDIATE[operation] ?? operation];
    const load = LOAD_OPCODE[operation];
    const store = STORE_OPCODE[operation];
    if (binary !== undefined) {
      this.#setRd(() => {
        this.#pushRs1();
        binary.first?.(code);
        if (OF_IMMEDIATE[operation] === undefined) this.#pushRs2();
        else this.#pushImmediate();
        binary.second?.(code);
        binary.both(code);
      });
    } else if (isMultiplyHigh(operation) || isDivision(operation)) this.#emitLongArithmetic(operation);
    else if (load !== undefined) {
      this.#emitAddress();
      this.#setRd(() => {
        code.localGet(this.#left).i32WrapI64();
        emitAccess(code, load, PROGRAM_MEMORY, 0);
      });
    } else if (store !== undefined) {
      this.#emitAddress();
      code.localGet(this.#left).i32WrapI64();
      this.#pushRs2();
      emitAccess(code, store, PROGRAM_MEMORY, 0);
    } else {
      this.#emitControl(operation);
      return;
    }
    this.#goOn();
  }

  #emitLongArithmetic(operation: Operation): void {
    const code = this.#code;
    this.#pushRs1();
    code.localSet(this.#left);
    this.#pushRs2();
    code.localSet(this.#right);
    this.#setRd(() => {
      if (isDivision(operation)) emitDivision(code, operation, this.#left, this.#right);
      else emitMultiplyHigh(code, operation, this.#left, this.#right, this.#multiply);
    });
  }

  /** Puts the address of a load or store into a local; traps if it lies beyond 32 bits on either side. */
  #emitAddress(): void {
    const code = this.#code;
    this.#pushRs1();
    code.i32WrapI64().i64ExtendI32U();
    this.#pushImmediate();
    code.i64Add().localTee(this.#left);
    code.i64Const(32).i64ShrU().i64Const(0).i64Ne().brIf(must(this.#trap, "it is open"));
  }

  #emitControl(operation: Operation): void {
    const code = this.#code;
    if (isBranch(operation)) {
      this.#pushTarget();
      this.#pushFollowing();
      this.#pushRs1();
      this.#pushRs2();
      BRANCH_CODE[operation](code);
      code.select().localSet(this.#at).br(must(this.#next, "it is open"));
      return;
    }
    switch (operation) {
      case "lui":
        this.#setRd(() => this.#pushImmediate());
        break;
      case "auipc":
        this.#setRd(() => {
          this.#pushProgramCounter(() => code.localGet(this.#at));
          this.#pushImmediate();
          code.i64Add();
        });
        break;
      case "jal":
        this.#setRd(() => this.#pushProgramCounter(() => this.#pushFollowing()));
        this.#pushTarget();
        this.#goToJumpTarget();
        return;
      case "jalr":
        this.#pushRs1();
        this.#pushImmediate();
        code.i64Add().i32WrapI64().localSet(PC);
        this.#setRd(() => this.#pushProgramCounter(() => this.#pushFollowing()));
        this.#findRecord();
        code.localGet(this.#at);
        this.#goToJumpTarget();
        return;
      case "fence":
        break;
      case "ecall":
        this.#emitHostCall();
        break;
      default:
        code.br(must(this.#trap, "it is open"));
        return;
    }
    this.#goOn();
  }

  /** Of branches and JAL. */
  #pushTarget(): void {
    this.#code.localGet(this.#at).i32Load(RECORD_BYTES / 2);
  }

  #pushProgramCounter(pushRecord: () => void): void {
    pushRecord();
    this.#code.i32Const(2).i32ShrU().localGet(this.#bias).i32Add().i64ExtendI32U();
  }

  /** Goes to the record whose address is on the stack, or leaves if compiled code begins there. */
  #goToJumpTarget(): void {
    const code = this.#code;
    code.localTee(this.#at).i32Load().localGet(MASK).i32And();
    code.i32Eqz().brIf(must(this.#next, "it is open"));
    this.#storeFuel();
    code.localGet(this.#at).i32Const(2).i32ShrU().localGet(this.#bias).i32Add().return();
  }

  #storeFuel(): void {
    this.#code.i32Const(0).localGet(this.#fuel).i64Store(WORK.fuel);
  }

  #emitHostCall(): void {
    const code = this.#code;
    this.#storeFuel();
    code.call(this.#host).if();
    code.i32Const(0).return().end();
    code.i32Const(0).i64Load(WORK.fuel).localSet(this.#fuel);
  }
}
