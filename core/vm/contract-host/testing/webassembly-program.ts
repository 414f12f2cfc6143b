import { type Bytes, must } from "@ostrom/base";
import { type CodeBuilder, I32, I64, ModuleBuilder, type ValueType } from "@ostrom/wasm";
import { HOST_CALLS, HOST_MODULE, type HostCallName } from "../host-calls.ts";

/** Appends a call to a host function whose operands are on the stack. */
export type CallHost = (name: HostCallName) => void;

export type WebAssemblySource = {
  /** Host functions that it uses. */
  readonly imports?: readonly HostCallName[];
  /** Bodies of the entries: each leaves its exit status on the stack. */
  readonly call: (code: CodeBuilder, callHost: CallHost) => void;
  readonly deploy?: (code: CodeBuilder, callHost: CallHost) => void;
  readonly pages?: number;
  readonly maxPages?: number;
  /** From address 0 on. */
  readonly data?: Bytes;
  /** Adds to the module what the entries use, before them. */
  readonly prepare?: (module: ModuleBuilder) => void;
};

/** A contract in WebAssembly, assembled by hand. */
export function webassemblyProgram(source: WebAssemblySource): Bytes {
  const module = new ModuleBuilder();
  const functions = new Map<HostCallName, number>();
  for (const name of source.imports ?? []) functions.set(name, importHostCall(module, name));
  const { pages = 1, maxPages } = source;
  module.memory({ minimum: pages, maximum: maxPages });
  if (source.data !== undefined) module.data(0, source.data);
  source.prepare?.(module);
  const entry = module.type([], [I32]);
  for (const [name, write] of Object.entries({ call: source.call, deploy: source.deploy })) {
    if (write === undefined) continue;
    const callHost = (code: CodeBuilder) => (call: HostCallName) => {
      code.call(must(functions.get(call), `${call} must be imported`));
    };
    module.function(entry, (code) => write(code, callHost(code)), name);
  }
  return module.encode();
}

function importHostCall(module: ModuleBuilder, name: HostCallName): number {
  const call = must(
    HOST_CALLS.find((candidate) => candidate.name === name),
    "a program imports what there is",
  );
  const parameters: ValueType[] = call.parameters.map(({ type }) => (type === "i64" ? I64 : I32));
  const results: ValueType[] = call.result === "nothing" ? [] : [call.result === "i64" ? I64 : I32];
  return module.importFunction(HOST_MODULE, name, module.type(parameters, results));
}
