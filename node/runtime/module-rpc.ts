import { bindParameters, type DecodedParameters, type Json, type Parameter } from "@ostrom/rpc";
import type { ModuleMethod, ModuleReads } from "./module-face.ts";

/** Describes a module's JSON-RPC method once, for its callers and for its decoder. The decoders and the functions that make parameters of
 * them (`required`, `optional`, `parameterTypes`) come from this package too.
 * @param definition its name begins with the module's name and `_`. */
export function defineModuleMethod<const P extends readonly Parameter<unknown>[]>(definition: {
  readonly name: string;
  readonly summary: string;
  readonly parameters: P;
  readonly returns: string;
  readonly run: (reads: ModuleReads, ...values: DecodedParameters<P>) => Json | Promise<Json>;
}): ModuleMethod {
  const { name, summary, parameters, returns, run } = definition;
  return { name, summary, parameters, returns, call: bindParameters(parameters, run) };
}
