import type { Bytes } from "@ostrom/base";
import { type CodeBuilder, I32, ModuleBuilder, type SizeLimits } from "@ostrom/wasm";
import { HOST_CALLS, HOST_MODULE, type HostCallName } from "../../contract-host/host-calls.ts";
import { typeOfHostCall } from "../read-contract.ts";

/** A module that is being written: `host` has the index of each host call that it imports. */
export type ContractDraft<Name extends HostCallName> = {
  readonly builder: ModuleBuilder;
  readonly host: Readonly<Record<Name, number>>;
};

export const ONE_PAGE: SizeLimits = { minimum: 1, maximum: 1 };

/** A contract whose `call` is written by a function. */
export function contractModule<Name extends HostCallName>(
  imports: readonly Name[],
  write: (code: CodeBuilder, draft: ContractDraft<Name>) => void,
  memory: SizeLimits = ONE_PAGE,
  prepare: (draft: ContractDraft<Name>) => void = () => {},
): Bytes {
  const builder = new ModuleBuilder();
  const host = Object.fromEntries(
    imports.map((name) => {
      const call = HOST_CALLS.find((candidate) => candidate.name === name)!;
      const { parameters, results } = typeOfHostCall(call);
      return [name, builder.importFunction(HOST_MODULE, name, builder.type(parameters, results))];
    }),
  ) as Record<Name, number>;
  builder.memory(memory);
  const draft: ContractDraft<Name> = { builder, host };
  prepare(draft);
  builder.function(
    builder.type([], [I32]),
    (code) => {
      write(code, draft);
    },
    "call",
  );
  return builder.encode();
}
