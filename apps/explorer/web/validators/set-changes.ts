import type { ValidatorSet } from "./validator-types.ts";

export type SetChange =
  | { readonly kind: "joins"; readonly name: string; readonly weight: number }
  | { readonly kind: "leaves"; readonly name: string }
  | { readonly kind: "changes"; readonly name: string; readonly before: number; readonly after: number }
  | { readonly kind: "rekeys"; readonly name: string };

/** What becomes other from one set to the next. Validators are the same where their addresses are. */
export function changesBetween(before: ValidatorSet, after: ValidatorSet): readonly SetChange[] {
  const old = new Map(before.validators.map((one) => [one.address, one]));
  const changes: SetChange[] = [];
  for (const { address, name, weight, consensusKey } of after.validators) {
    const known = old.get(address);
    old.delete(address);
    if (known === undefined) changes.push({ kind: "joins", name, weight: Number(weight) });
    else if (known.weight !== weight)
      changes.push({ kind: "changes", name, before: Number(known.weight), after: Number(weight) });
    else if (known.consensusKey !== consensusKey) changes.push({ kind: "rekeys", name });
  }
  for (const { name } of old.values()) changes.push({ kind: "leaves", name });
  return changes;
}
