import type { HostCall } from "../contract-host/host-calls.ts";
import { endProgram, finishHostCall, runHostCall } from "../contract-host/run-host-call.ts";
import type { HostOperands, Program, ProgramRunner } from "../contract-host/types.ts";
import { endWithFault, type Frame, type Machine } from "../frame.ts";
import { isNodeFault, isTrap, NodeFault } from "../runtime/webassembly.ts";
import type { Outcome } from "../types.ts";
import { type CompiledContract, type ContractInstance, compileContract } from "./contract-instance.ts";
import { chargeEntry, createFuelAccount, giveFuelBack, takeFuel } from "./fuel-account.ts";
import { InstancePool } from "./instance-pool.ts";
import { readProgram } from "./read-program.ts";

/** Thrown by a host call that has ended its frame, to leave the program: no error, so that it takes no stack trace. */
const FRAME_ENDED = { name: "the frame has ended" } as const;

/** A runner of contracts in WebAssembly on V8. It keeps what V8 compiled for as long as there is the program, and instances for
 * further messages. It is for one thread. */
export function createWebAssemblyRunner(): ProgramRunner {
  const pool = new InstancePool();
  const compiled = new WeakMap<Program, CompiledContract>();
  return (machine, frame, program, runChild) => {
    const contract = readProgram(program);
    if (contract === undefined) {
      endWithFault(frame, "vm/invalid-program");
      return;
    }
    if (!chargeEntry(frame, contract)) return;
    const entry = frame.kind === "create" ? "deploy" : "call";
    if (contract[entry] === undefined) {
      endProgram(frame, 0);
      return;
    }
    let made = compiled.get(program);
    if (made === undefined) {
      made = compileContract(contract);
      compiled.set(program, made);
    }
    const instance = pool.take(made);
    runInInstance(instance, entry, machine, frame, runChild);
    pool.putBack(instance);
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
