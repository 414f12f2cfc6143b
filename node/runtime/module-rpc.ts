import { invalidParams, type Json, type Parameter } from "@ostrom/rpc";
import type { ModuleMethod, ModuleReads } from "./module-face.ts";

type Decoded<P extends readonly Parameter<unknown>[]> = {
  -readonly [K in keyof P]: P[K] extends Parameter<infer T> ? T : never;
};

/** Describes a module's JSON-RPC method once, for its callers and for its decoder. The decoders and the functions that make parameters of
 * them (`required`, `optional`, `parameterTypes`) come from this package too.
 * @param definition its name begins with the module's name and `_`. */
export function defineModuleMethod<const P extends readonly Parameter<unknown>[]>(definition: {
  readonly name: string;
  readonly summary: string;
  readonly parameters: P;
  readonly returns: string;
  readonly run: (reads: ModuleReads, ...values: Decoded<P>) => Json | Promise<Json>;
}): ModuleMethod {
  const { name, summary, parameters, returns, run } = definition;
  return {
    name,
    summary,
    parameters,
    returns,
    call: (reads, given) => {
      if (given.length > parameters.length)
        throw invalidParams(`too many arguments, want at most ${parameters.length}`);
      const values = parameters.map((parameter, index) => parameter.read(given[index], index));
      return run(reads, ...(values as Decoded<P>));
    },
  };
}
