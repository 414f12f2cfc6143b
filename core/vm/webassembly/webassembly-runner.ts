import { must } from "@ostrom/base";
import { createFuelAccount, giveFuelBack, takeFuel } from "../contract-host/fuel-account.ts";
import type { HostCall } from "../contract-host/host-calls.ts";
import { RecentlyUsed } from "../contract-host/recently-used.ts";
import { endProgram, finishHostCall, runHostCall } from "../contract-host/run-host-call.ts";
import type { HostOperands, Program, ProgramRunner } from "../contract-host/types.ts";
import { charge, endWithFault, type Frame, type Machine } from "../frame.ts";
import { isNodeFault, isTrap, NodeFault } from "../runtime/webassembly.ts";
import type { Outcome } from "../types.ts";
import { contractEntryGas } from "./contract-entry.ts";
import { type CompiledContract, type ContractInstance, compileContract } from "./contract-instance.ts";
import { InstancePool } from "./instance-pool.ts";
import type { Contract } from "./read-contract.ts";
import { readProgram } from "./read-program.ts";

/** Thrown by a host call that has ended its frame, to leave the program: no error, so that it takes no stack trace. */
const FRAME_ENDED = { name: "the frame has ended" } as const;

/** What the contracts may take that are kept compiled, by the estimate below. */
export const COMPILED_BYTES: number = 384 * 2 ** 20;
/** Machine code of both of V8's compilers, for each byte of a module; measured, 2 to 15. */
const MACHINE_BYTES_PER_BYTE = 6;

/** A runner of contracts in WebAssembly on V8. It keeps what V8 has compiled, and instances, for further messages. It is for one
 * thread.
 * @param compiledBytes that what it keeps may take. */
export function createWebAssemblyRunner(compiledBytes: number = COMPILED_BYTES): ProgramRunner {
  const pool = new InstancePool();
  const kept = new RecentlyUsed<Program, CompiledContract>(compiledBytes, (dropped) => pool.forget(dropped));
  const compile = (program: Program, contract: Contract): CompiledContract => {
    const compiled = compileContract(contract);
    const bytes = program.bytes.length + MACHINE_BYTES_PER_BYTE * compiled.meteredBytes;
    kept.keep(program, compiled, bytes);
    return compiled;
  };
  return (machine, frame, program, runChild) => {
    const before = kept.find(program);
    const contract = before === undefined ? readProgram(program) : undefined;
    if (before === undefined && contract === undefined) {
      endWithFault(frame, "vm/invalid-program");
      return;
    }
    if (!charge(frame, before?.entryGas ?? contractEntryGas(must(contract, "it was read")))) return;
    const entry = frame.kind === "create" ? "deploy" : "call";
    const hasEntry = entry === "call" || (before?.hasDeploy ?? contract?.deploy !== undefined);
    if (!hasEntry) {
      endProgram(frame, 0);
      return;
    }
    const compiled = before ?? compile(program, must(contract, "it was read"));
    const instance = pool.take(compiled);
    runInInstance(instance, entry, machine, frame, runChild);
    if (kept.keeps(program, compiled)) pool.putBack(instance);
  };
}

/** Runs a message to its end. Throws what is no result of the program; then the instance is not used again. */
function runInInstance(
  instance: ContractInstance,
  entry: "call" | "deploy",
  machine: Machine,
  frame: Frame,
  runChild: (child: Frame) => Outcome,
): void {
  const account = createFuelAccount();
  instance.answer = (call, fuel, operands) => {
    giveFuelBack(frame, account, fuel);
    const result = answerHostCall(instance, machine, frame, runChild, call, operands);
    if (frame.exit !== undefined) throw FRAME_ENDED;
    instance.setFuel(takeFuel(frame, account));
    return result;
  };
  try {
    const status = instance.run(entry, takeFuel(frame, account));
    giveFuelBack(frame, account, instance.fuel);
    endProgram(frame, status);
  } catch (error) {
    if (error === FRAME_ENDED) return;
    if (isTrap(error)) {
      endWithFault(frame, instance.ranOut ? "vm/out-of-gas" : "vm/trap");
      return;
    }
    throw isNodeFault(error) ? asNodeFault(error) : error;
  } finally {
    instance.answer = undefined;
  }
}

/** What fails in the host is never taken for a trap of the program that called it. */
function answerHostCall(
  instance: ContractInstance,
  machine: Machine,
  frame: Frame,
  runChild: (child: Frame) => Outcome,
  call: HostCall,
  operands: HostOperands,
): number | bigint {
  try {
    const result = runHostCall(machine, frame, instance.memory, call.number, operands);
    if (frame.exit?.kind !== "enter") return result;
    return finishHostCall(machine, frame, instance.memory, runChild(frame.exit.child));
  } catch (error) {
    throw isNodeFault(error) ? asNodeFault(error) : error;
  }
}

function asNodeFault(error: unknown): NodeFault {
  return error instanceof NodeFault ? error : new NodeFault(String(error));
}
