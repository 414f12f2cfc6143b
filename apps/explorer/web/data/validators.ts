import { useMemo } from "react";
import { useNode } from "./network.ts";
import type { RpcValidatorSet } from "./rpc-types.ts";
import { useAnswer } from "./use-answer.ts";

const EVERY_MS = 15_000;

/** The validators of the newest block's epoch; null: a chain that has none, or a node that does not tell. */
export function useValidators(): RpcValidatorSet | null | undefined {
  const { path, rpc } = useNode();
  return useAnswer(`${path} validators`, () => rpc.call<RpcValidatorSet | null>("ostrom_getValidators"), {
    everyMs: EVERY_MS,
    staleMs: EVERY_MS,
  }).value;
}

/** Names of validators by their address in lower case, the way headers name who led. */
export function useValidatorNames(): ReadonlyMap<string, string> {
  const set = useValidators();
  return useMemo(
    () => new Map((set?.validators ?? []).map(({ address, name }) => [address.toLowerCase(), name])),
    [set],
  );
}
