import type { Bytes } from "@ostrom/base";
import { type CodeBuilder, I32, I64, ModuleBuilder } from "@ostrom/wasm";
import { FUEL_PER_GAS, PROGRAM_GAS, STATIC_STACK_SLOTS } from "../contract-host/program-gas.ts";
import { FunctionMeter, type MeteredSurroundings, meteredType } from "./meter-function.ts";
import type { Contract } from "./read-contract.ts";
import { typeOfHostCall } from "./read-contract.ts";

/** Names of what a metered module imports and exports. */
export const HOST_IMPORT = "host";
export const GROW_FAILED = "growFailed";
export const METERED_EXPORT = {
  memory: "memory",
  /** (fuel low, fuel high) -> the entry's status: both begin a message. */
  call: "call",
  deploy: "deploy",
  /** Sets globals to what they begin with. */
  reset: "reset",
  /** (low, high): what is left after a host call. */
  setFuel: "setFuel",
  fuelLow: "fuelLow",
  fuelHigh: "fuelHigh",
  /** After a trap: 1 if fuel had run out, or else 0. */
  ranOut: "ranOut",
} as const;

/** Makes of a contract the module that V8 runs: the same functions with fuel and static stack counted.
 *
 * Imports `host.<name>` for each of its host calls, by place: its operands behind the fuel's two halves. Memory is its own; data is not in it,
 * because whoever uses instances again has to write that anyway. */
export function meterContract(contract: Contract): Bytes {
  return new ContractMeter(contract).encode();
}

class ContractMeter {
  readonly #contract: Contract;
  readonly #builder = new ModuleBuilder();
  readonly #around: MeteredSurroundings;
  readonly #fuelGlobal: number;
  readonly #growFailed: number;

  constructor(contract: Contract) {
    this.#contract = contract;
    const builder = this.#builder;
    const { module, hostCalls } = contract;
    const plainTypes = module.types.map(({ parameters, results }) => builder.type(parameters, results));
    const meteredTypes = module.types.map(({ parameters, results }) =>
      builder.type(...meteredType(parameters, results)),
    );
    hostCalls.forEach((call, place) => {
      const { parameters, results } = typeOfHostCall(call);
      builder.importFunction(HOST_IMPORT, `${place}`, builder.type([I32, I32, ...parameters], results));
    });
    this.#growFailed = builder.importFunction(HOST_IMPORT, GROW_FAILED, builder.type([], []));
    const functionShift = this.#growFailed + 1;
    builder.memory({ minimum: contract.initialPages, maximum: contract.maximumPages });
    builder.export(METERED_EXPORT.memory, "memory");
    module.globals.forEach(({ type, mutable }, index) => {
      builder.global(type === I64 ? I64 : I32, mutable, contract.globals[index]!);
    });
    this.#fuelGlobal = builder.global(I64, true, 0);
    const fuelAtFault = builder.global(I64, true, 0);

    for (const typeIndex of module.functionTypes) builder.declareFunction(meteredTypes[typeIndex]!);
    const growFunction = builder.declareFunction(builder.type([I32, I64], [I32, I64]));
    this.#around = { plainTypes, meteredTypes, functionShift, fuelAtFault, growFunction };
  }

  encode(): Bytes {
    const { module, extents, fuel } = this.#contract;
    const builder = this.#builder;
    this.#writeTable();
    this.#contract.hostCalls.forEach((_, place) => {
      this.#writeHostCall(place);
    });
    const meter = new FunctionMeter(module, this.#around);
    extents.forEach((extent, place) => {
      meter.write(builder, place, extent, fuel[place]!);
    });
    this.#writeGrow();
    this.#writeEntry(METERED_EXPORT.call, this.#contract.call);
    if (this.#contract.deploy !== undefined) this.#writeEntry(METERED_EXPORT.deploy, this.#contract.deploy);
    this.#writeAccess();
    return builder.encode();
  }

  #writeTable(): void {
    const { table, module } = this.#contract;
    if (module.table === undefined) return;
    this.#builder.table({ minimum: table.length, maximum: table.length });
    // One segment for each stretch of entries that are not empty.
    for (let from = 0; from < table.length; ) {
      if (table[from] === -1) {
        from++;
        continue;
      }
      let to = from;
      while (to < table.length && table[to] !== -1) to++;
      this.#builder.elements(
        from,
        Array.from(table.subarray(from, to), (index) => index + this.#around.functionShift),
      );
      from = to;
    }
  }

  /** A function for a host call that other functions can call as they call each other. */
  #writeHostCall(place: number): void {
    const { parameters } = typeOfHostCall(this.#contract.hostCalls[place]!);
    const code = this.#builder.begin(place + this.#around.functionShift);
    const fuel = parameters.length;
    code.localGet(fuel).i64Const(0).i64LtS();
    code.if();
    code.localGet(fuel).globalSet(this.#around.fuelAtFault).unreachable().end();
    code.localGet(fuel).i32WrapI64().localGet(fuel).i64Const(32).i64ShrU().i32WrapI64();
    parameters.forEach((_, index) => {
      code.localGet(index);
    });
    code.call(place).globalGet(this.#fuelGlobal);
    this.#builder.finish(code);
  }

  /** (pages, fuel) -> (size before or -1, fuel). */
  #writeGrow(): void {
    const [pages, fuel] = [0, 1];
    const { maximumPages } = this.#contract;
    const code = this.#builder.begin(this.#around.growFunction);
    code.localGet(pages).i32Const(maximumPages).memorySize().i32Sub().i32GtU();
    code.if();
    code.i32Const(-1).localGet(fuel).return().end();
    this.#writePagesFuel(code, pages, fuel);
    code.localTee(fuel).i64Const(0).i64LtS();
    code.if();
    code.localGet(fuel).globalSet(this.#around.fuelAtFault).unreachable().end();
    code.localGet(pages).memoryGrow().localTee(pages).i32Const(-1).i32Eq();
    code.if();
    code.call(this.#growFailed).end();
    code.localGet(pages).localGet(fuel);
    this.#builder.finish(code);
  }

  /** Pushes what is left of the fuel when the memory grows: see `pagesGas`. */
  #writePagesFuel(code: CodeBuilder, pages: number, fuel: number): void {
    const { page, pageSquareDivisor } = PROGRAM_GAS;
    const before = code.local(I64);
    const after = code.local(I64);
    code.memorySize().i64ExtendI32U().localTee(before);
    code.localGet(pages).i64ExtendI32U().i64Add().localSet(after);
    code.localGet(fuel);
    code.localGet(pages).i64ExtendI32U().i64Const(page).i64Mul();
    code.localGet(after).localGet(after).i64Mul().i64Const(pageSquareDivisor).i64DivU().i64Add();
    code.localGet(before).localGet(before).i64Mul().i64Const(pageSquareDivisor).i64DivU().i64Sub();
    code.i64Const(FUEL_PER_GAS).i64Mul().i64Sub();
  }

  #writeEntry(name: string, entry: number): void {
    const { initialize } = this.#contract;
    const { functionShift, fuelAtFault } = this.#around;
    const [low, high] = [0, 1];
    this.#builder.function(
      this.#builder.type([I32, I32], [I32]),
      (code) => {
        const fuel = code.local(I64);
        code.localGet(low).i64ExtendI32U().localGet(high).i64ExtendI32U().i64Const(32).i64Shl().i64Or();
        code.localSet(fuel);
        if (initialize !== undefined)
          code
            .localGet(fuel)
            .i64Const(STATIC_STACK_SLOTS)
            .call(initialize + functionShift)
            .localSet(fuel);
        code
          .localGet(fuel)
          .i64Const(STATIC_STACK_SLOTS)
          .call(entry + functionShift)
          .localTee(fuel);
        code.globalSet(this.#fuelGlobal).localGet(fuel).i64Const(0).i64LtS();
        code.if();
        code.localGet(fuel).globalSet(fuelAtFault).unreachable().end();
      },
      name,
    );
  }

  #writeAccess(): void {
    const builder = this.#builder;
    const fuel = this.#fuelGlobal;
    builder.function(
      builder.type([I32, I32], []),
      (code) => {
        code.localGet(0).i64ExtendI32U().localGet(1).i64ExtendI32U().i64Const(32).i64Shl().i64Or();
        code.globalSet(fuel);
      },
      METERED_EXPORT.setFuel,
    );
    const getter = builder.type([], [I32]);
    builder.function(getter, (code) => code.globalGet(fuel).i32WrapI64(), METERED_EXPORT.fuelLow);
    builder.function(
      getter,
      (code) => code.globalGet(fuel).i64Const(32).i64ShrU().i32WrapI64(),
      METERED_EXPORT.fuelHigh,
    );
    const { fuelAtFault } = this.#around;
    builder.function(
      getter,
      (code) => code.globalGet(fuelAtFault).i64Const(0).i64LtS(),
      METERED_EXPORT.ranOut,
    );
    builder.function(
      builder.type([], []),
      (code) => {
        this.#contract.module.globals.forEach(({ type, mutable }, index) => {
          if (!mutable) return;
          const value = this.#contract.globals[index]!;
          if (type === I64) code.i64Const(value);
          else code.i32Const(Number(value));
          code.globalSet(index);
        });
        code.i64Const(0).globalSet(fuelAtFault);
      },
      METERED_EXPORT.reset,
    );
  }
}
