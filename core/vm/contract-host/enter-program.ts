import { type Address, type Bytes, toHexDigits } from "@ostrom/base";
import type { CallRequest, CreateRequest } from "../enter.ts";
import { type Entered, faultWith } from "../entered.ts";
import { createFrame, type Machine } from "../frame.ts";
import { GAS } from "../gas-schedule.ts";
import { readInitCode } from "./code-format.ts";
import { loadGas, validationGas } from "./program-gas.ts";
import { assembleProgram, chunksOf, validProgram } from "./programs.ts";

/** Begins a call to code that has the prefix. What reading the code costs is charged before it is read: each chunk of a
 * manifest as an account that is reached (EIP-2929), and the whole by its size when a message enters it first.
 * @param checkpoint of the state, to which a call that cannot begin returns. */
export function enterProgram(machine: Machine, request: CallRequest, checkpoint: number): Entered {
  const { state } = machine.context;
  const { code, codeAddress } = request;
  const refuse = (fault: Entered): Entered => {
    state.revertTo(checkpoint);
    return fault;
  };
  let gas = request.gas - chunkAccessGas(machine, chunksOf(code));
  if (gas < 0n) return refuse(faultWith("vm/out-of-gas", 0n));
  const assembled = assembleProgram(state, code);
  if (!assembled.ok) return refuse(faultWith("vm/invalid-program", 0n, assembled.error));
  if (!isLoaded(machine, codeAddress)) {
    gas -= BigInt(loadGas(assembled.value.program.bytes.length, assembled.value.chunks.length > 0));
    if (gas < 0n) return refuse(faultWith("vm/out-of-gas", 0n));
    markLoaded(machine, codeAddress);
  }
  const program = validProgram(machine.programKinds, code, assembled.value);
  if (!program.ok) return refuse(faultWith("vm/invalid-program", 0n, program.error));
  return {
    kind: "frame",
    frame: createFrame({ ...request, gas, kind: "call", checkpoint, program: program.value }),
  };
}

/** Begins a creation whose init code has the prefix, when the account has been made and has its value.
 *
 * A chunk is stored at once. A program is validated, then its constructor runs: a frame of kind "create" with the code that
 * `leave` deploys if it succeeds. */
export function enterDeployment(machine: Machine, request: CreateRequest, checkpoint: number): Entered {
  const { state } = machine.context;
  const refuse = (fault: Entered): Entered => {
    state.revertTo(checkpoint);
    return fault;
  };
  const deployment = readInitCode(request.initCode);
  if (!deployment.ok) return refuse(faultWith("vm/invalid-program", 0n, deployment.error));
  const { code, content, constructorInput } = deployment.value;
  if (content.form === "chunk") {
    const stored = storeChunk(machine, request, code, constructorInput);
    return stored.kind === "done" && stored.outcome.status === "success" ? stored : refuse(stored);
  }
  let gas = request.gas;
  if (content.form === "manifest") gas -= chunkAccessGas(machine, content.chunks);
  if (gas < 0n) return refuse(faultWith("vm/out-of-gas", 0n));
  const assembled = assembleProgram(state, code);
  if (!assembled.ok) return refuse(faultWith("vm/invalid-program", 0n, assembled.error));
  gas -= BigInt(validationGas(assembled.value.program.bytes.length));
  if (gas < 0n) return refuse(faultWith("vm/out-of-gas", 0n));
  const program = validProgram(machine.programKinds, code, assembled.value);
  if (!program.ok) return refuse(faultWith("vm/invalid-program", 0n, program.error));
  markLoaded(machine, request.address);
  const frame = createFrame({
    kind: "create",
    code,
    program: program.value,
    address: request.address,
    caller: request.creator,
    value: request.value,
    input: constructorInput,
    isStatic: false,
    depth: request.depth,
    checkpoint,
    gas,
  });
  return { kind: "frame", frame };
}

/** Value and constructor input could never be used, so that they can only be mistakes. */
function storeChunk(
  machine: Machine,
  { address, value, gas }: CreateRequest,
  code: Bytes,
  constructorInput: Bytes,
): Entered {
  if (value > 0n) return faultWith("vm/invalid-program", 0n, "a chunk cannot hold value");
  if (constructorInput.length > 0) {
    return faultWith("vm/invalid-program", 0n, `${constructorInput.length} bytes follow the chunk`);
  }
  const gasLeft = gas - BigInt(GAS.codeDepositByte * code.length);
  if (gasLeft < 0n) return faultWith("vm/out-of-gas", 0n);
  machine.context.state.setCode(address, code);
  return { kind: "done", outcome: { status: "success", output: code, gasLeft, created: address } };
}

/** Makes the chunks warm. @returns what reaching them costs. */
function chunkAccessGas({ context }: Machine, chunks: readonly Address[]): bigint {
  let gas = 0;
  for (const chunk of chunks) gas += context.state.warmAddress(chunk) ? GAS.warmAccess : GAS.coldAccount;
  return BigInt(gas);
}

function isLoaded({ loadedPrograms }: Machine, address: Address): boolean {
  return loadedPrograms.has(toHexDigits(address));
}

function markLoaded({ loadedPrograms }: Machine, address: Address): void {
  loadedPrograms.add(toHexDigits(address));
}
