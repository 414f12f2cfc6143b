import type { LogValue } from "./operator-log-format.ts";

type Tree = { readonly [name: string]: LogValue };

export type Change = { readonly setting: string; readonly before: LogValue; readonly after: LogValue };

/** Settings that differ, by their paths ("rpc.port"); null stands for what is not there. */
export function changesBetween(before: Tree, after: Tree, path = ""): readonly Change[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.flatMap((name): readonly Change[] => {
    const setting = path === "" ? name : `${path}.${name}`;
    const old = before[name] ?? null;
    const now = after[name] ?? null;
    if (isTree(old) && isTree(now)) return changesBetween(old, now, setting);
    return JSON.stringify(old) === JSON.stringify(now) ? [] : [{ setting, before: old, after: now }];
  });
}

function isTree(value: LogValue): value is Tree {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
